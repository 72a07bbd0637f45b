// Runs every flow on an empty simulator; one JSON line each: {flow, passed, said, ms}.
import { Absent, flows, sim } from "./harness.mjs";
import "./accounts.mjs";
import "./payments.mjs";
import "./transfers.mjs";
import "./failures.mjs";
import "./events.mjs";
import "./habits.mjs";

const FLOW_MS_MAX = 30_000;

function bounded(promise) {
  let timer;
  const late = new Promise((_, refuse) => {
    timer = setTimeout(() => refuse(new Error(`not done after ${FLOW_MS_MAX} ms`)), FLOW_MS_MAX);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

for (const { name, run } of flows) {
  const began = performance.now();
  let outcome = { passed: true };
  try {
    await sim.reset();
    outcome = { passed: true, ...(await bounded(run())) };
  } catch (error) {
    outcome =
      error instanceof Absent ? { absent: error.message } : { passed: false, said: error.stack ?? String(error) };
  }
  console.log(JSON.stringify({ flow: name, ...outcome, ms: Math.round(performance.now() - began) }));
}
await sim.reset();
process.exit(0);
