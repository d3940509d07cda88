// The line by which a server says where it listens and what it runs on.
import { readFileSync } from "node:fs";

const version = (name) => {
  const file = new URL(`./node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).version;
};

export const ready = (port, ...names) => {
  const versions = names.map((name) => `${name} ${version(name)}`);
  console.log(`ready ${port} ${versions.join(", ")}, Node.js ${process.version}`);
};
