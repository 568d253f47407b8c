// Prints one line for each event of the queue: id, type, dossier. Ends when it is told to.
import amqp from "amqplib";
import { createRemoteJWKSet, flattenedVerify } from "jose";

const { AMQP_URL, KEYS, QUEUE } = process.env;
const keys = createRemoteJWKSet(new URL(KEYS));
const connection = await amqp.connect(AMQP_URL);
const channel = await connection.createChannel();
await channel.prefetch(10);
await channel.consume(QUEUE, async (message) => {
  const [header, , signature] = message.properties.headers.jws.split(".");
  const payload = message.content.toString("base64url");
  await flattenedVerify({ protected: header, payload, signature }, keys, { algorithms: ["ES256"] });
  const event = JSON.parse(message.content);
  console.log(event.id, event.type, event.data.dossier_id);
  channel.ack(message);
});
