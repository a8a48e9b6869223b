import { type SuiteContext, suite } from "node:test";
import { whyNoDockerd } from "./dockerd.js";

/**
 * Tests that need a daemon of their own. Where none can run they are skipped, and say so; in CI that
 * is a failure, as nobody reads the list of what was skipped.
 */
export function suiteWithDockerd(name: string, body: (context: SuiteContext) => void): void {
	const why = whyNoDockerd();
	if (why === undefined) {
		suite(name, body);
		return;
	}
	if (process.env.CI === "true") throw new Error(`"${name}" must run in CI, but ${why}`);
	console.error(`\nSKIPPED: ${name}: ${why}\n`);
	suite(name, { skip: why }, body);
}
