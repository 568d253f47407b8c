// Compiles app.scss into ../espace_web/static/app.css. `npm ci && npm run build`; the result is committed.
import { writeFileSync } from "node:fs";
import * as sass from "sass";

const { css } = sass.compile("app.scss", { style: "compressed", loadPaths: ["."], quietDeps: true });
writeFileSync("../espace_web/static/app.css", css.trim() + "\n");
console.log(`app.css: ${css.length} bytes`);
