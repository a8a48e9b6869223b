import { type SuiteContext, suite } from "node:test";
import { whyNoChromium } from "./chromium.js";
import { whyNoDockerd } from "./dockerd.js";
import { whyNoSshd } from "./sshd.js";

type Body = (context: SuiteContext) => void;

/** Tests that need a daemon of their own. */
export function suiteWithDockerd(name: string, body: Body): void {
	suiteUnless(whyNoDockerd(), name, body);
}

/** Tests that need an sshd of their own. */
export function suiteWithSshd(name: string, body: Body): void {
	suiteUnless(whyNoSshd(), name, body);
}

/** Tests that need a browser. */
export function suiteWithChromium(name: string, body: Body): void {
	suiteUnless(whyNoChromium(), name, body);
}

/**
 * Where tests cannot run they are skipped, and say so; in CI that is a failure, as nobody reads the list
 * of what was skipped.
 *
 * @param why they cannot run; undefined where they can
 */
export function suiteUnless(why: string | undefined, name: string, body: Body): void {
	if (why === undefined) {
		suite(name, body);
		return;
	}
	if (process.env.CI === "true") throw new Error(`"${name}" must run in CI, but ${why}`);
	console.error(`\nSKIPPED: ${name}: ${why}\n`);
	suite(name, { skip: why }, body);
}
