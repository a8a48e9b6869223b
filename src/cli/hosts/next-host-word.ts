import { type BoxNames, everyBox } from "../completion/box-names.js";
import { type Offer, offer } from "../completion/offer.js";
import { HOSTS_ACTIONS } from "./hosts-flags.js";

/** Docker contexts can be removed, several at once; what can be used as a box can be asked about. */
export async function nextHostWord(
	[action, ...given]: readonly string[],
	names: BoxNames,
): Promise<Offer> {
	if (action === undefined) return offer(HOSTS_ACTIONS);
	if (action === "rm") {
		return offer((await names.contexts()).filter((name) => !given.includes(name)));
	}
	if (given.length > 0) return offer([]);
	if (action === "use") return offer(["default", ...(await names.contexts())]);
	return offer(action === "inspect" || action === "trust" ? await everyBox(names) : []);
}
