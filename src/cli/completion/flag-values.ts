import { ENTITLEMENTS } from "../../build/plan/buildkit-plan.js";
import type { Flags } from "../commands.js";
import { CALLS } from "../flags/buildkit-values.js";
import { PUSHERS, SECRETS_CHECKS, TRANSFERS } from "../flags/option-values.js";
import { SSH_CLIENTS } from "../process/process-environment.js";
import { type BoxNames, everyBox } from "./box-names.js";
import { type Offer, offer } from "./offer.js";

/** Of flags whose values are checked elsewhere than by `choices`. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
	allow: ENTITLEMENTS,
	call: ["build", ...CALLS],
	network: ["default", "none", "host"],
	provenance: ["true", "false", "mode=min", "mode=max"],
	sbom: ["true", "false"],
	secrets: SECRETS_CHECKS,
	"ssh-client": SSH_CLIENTS,
	transfer: TRANSFERS,
	via: PUSHERS,
};

const FILES: readonly string[] = [
	...["file", "save", "output", "iidfile", "metadata-file", "compare", "ssh-config"],
	...["tlscacert", "tlscert", "tlskey", "ca", "cert", "key"],
];

/** What may stand behind a flag, or behind its "=". */
export async function flagValues(flag: string, flags: Flags, names: BoxNames): Promise<Offer> {
	if (flag === "on") return offer(["auto", ...(await everyBox(names))]);
	if (FILES.includes(flag)) return offer([], "files");
	if (flag === "context") return offer([], "directories");
	return offer(flags[flag]?.choices?.map(String) ?? VALUES[flag] ?? []);
}
