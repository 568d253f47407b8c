// Logs a citizen in through identity and the simulator as any client of the world would, with plain forms.
// usage: node login.mjs <issuer> <client id> <client secret or "-"> <redirect uri> <means> <username>
// Prints one line of JSON; a failed expectation ends with status 1.
import assert from "node:assert/strict";
import * as client from "openid-client";

const [issuer, clientId, secret, redirectUri, means, username] = process.argv.slice(2);
const jars = new Map();

// A browser in a few lines: cookies per host (Secure ones too: localhost counts as secure), no redirects.
async function visit(url, form) {
  const jar = jars.get(url.hostname) ?? new Map();
  jars.set(url.hostname, jar);
  const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") };
  const body = form && new URLSearchParams(form);
  const response = await fetch(url, { method: form ? "POST" : "GET", headers, body, redirect: "manual" });
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
    value ? jar.set(name, value) : jar.delete(name);
  }
  const location = response.headers.get("location");
  return { status: response.status, text: await response.text(), next: location && new URL(location, url) };
}

const hidden = (html) =>
  Object.fromEntries([...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map((m) => [m[1], m[2]]));
const action = (html, base) => new URL(html.match(/<form method="post" action="([^"]+)"/)[1].replaceAll("&amp;", "&"), base);

async function logIn(start) {
  const begun = await visit(start);
  assert.equal(begun.status, 303);
  const choice = await visit(begun.next);
  const sent = await visit(action(choice.text, begun.next), { ...hidden(choice.text), means });
  const page = await visit(sent.next);
  assert.equal(page.status, 200);
  let answer = await visit(action(page.text, sent.next), { ...hidden(page.text), username, action: "confirm" });
  const code = answer.text.match(/id="shown-code">(\d{6})/);
  if (code) answer = await visit(action(answer.text, sent.next), { ...hidden(answer.text), code: code[1], action: "confirm" });
  const back = await visit(answer.next);
  assert.ok(back.next, back.text);
  return back.next;
}

const authentication = secret === "-" ? client.None() : client.ClientSecretBasic(secret);
const config = await client.discovery(new URL(issuer), clientId, undefined, authentication, {
  execute: [client.allowInsecureRequests],
});
assert.ok(config.serverMetadata().supportsPKCE("S256"));

const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedNonce = client.randomNonce();
const expectedState = client.randomState();
const start = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: "openid profile",
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
});
const callback = await logIn(start);
assert.equal(callback.origin + callback.pathname, redirectUri);
const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, callback, checks);
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);

const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
const refused = async (attempt) => {
  try {
    await attempt();
  } catch (error) {
    return error.error ?? error.code;
  }
  return "accepted";
};
const refreshReuse = await refused(() => client.refreshTokenGrant(config, tokens.refresh_token));
const familyAfterReuse = await refused(() => client.refreshTokenGrant(config, refreshed.refresh_token));
const codeReuse = await refused(() => client.authorizationCodeGrant(config, callback, checks));

const end = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, state: "bye" });
const ended = await visit(end);
console.log(JSON.stringify({ claims, userinfo, refreshReuse, familyAfterReuse, codeReuse, logout: ended.status }));
