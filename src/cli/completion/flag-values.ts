import { ENTITLEMENTS } from "../../build/plan/buildkit-plan.js";
import type { Flags } from "../command.js";
import { CALLS } from "../flags/buildkit-values.js";
import { type BoxNames, everyBox } from "./box-names.js";
import { type Offer, offer } from "./offer.js";

/** Of flags that take more than these, which their help names. */
export const OPEN_VALUES: Readonly<Record<string, readonly string[]>> = {
	allow: ENTITLEMENTS,
	call: CALLS,
	network: ["default", "none", "host"],
	provenance: ["true", "false", "mode=min", "mode=max"],
	sbom: ["true", "false"],
};

const FILES: readonly string[] = [
	...["file", "save", "output", "iidfile", "metadata-file", "compare", "ssh-config"],
	...["tlscacert", "tlscert", "tlskey", "ca", "cert", "key"],
];

/** What may stand behind a flag, or behind its "=". */
export async function offerFlagValues(flag: string, flags: Flags, names: BoxNames): Promise<Offer> {
	if (flag === "on") return offer(["auto", ...(await everyBox(names))]);
	if (FILES.includes(flag)) return offer([], "files");
	if (flag === "context") return offer([], "directories");
	return offer(flags[flag]?.choices?.map(String) ?? OPEN_VALUES[flag] ?? []);
}
