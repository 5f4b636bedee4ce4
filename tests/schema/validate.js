// validate.js SCHEMA: reads lines {"name", "value"} from standard input and prints, for each, a
// line {"name", "errors"}: what ajv, which knows nothing of us, says of the value.
"use strict";
const fs = require("fs");
const Ajv = require("ajv");

const ajv = new (Ajv.default || Ajv)({ allErrors: true, strict: false });
const validate = ajv.compile(JSON.parse(fs.readFileSync(process.argv[2], "utf8")));

for (const line of fs.readFileSync(0, "utf8").split("\n")) {
  if (line === "") continue;
  const { name, value } = JSON.parse(line);
  const errors = validate(value) ? [] : validate.errors;
  const told = errors.map((e) => ({
    at: e.dataPath !== undefined ? e.dataPath : e.instancePath,
    message: e.message,
    params: e.params,
  }));
  console.log(JSON.stringify({ name, errors: told }));
}
