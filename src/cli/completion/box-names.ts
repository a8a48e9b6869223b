import type { Environment } from "../../environment.js";
import { DEFAULT_CONTEXT, listContexts } from "../../target/context-store.js";
import { sshAliases } from "../../target/ssh-aliases.js";

/** The names that boxes have on this machine. */
export interface BoxNames {
	/** Docker contexts, without the default one. */
	contexts(): Promise<readonly string[]>;
	/** Of the user's ssh_config. */
	aliases(): Promise<readonly string[]>;
}

/** Reads files and calls nobody. Who presses a key is not told what is wrong with them: they name nothing. */
export function boxNames(environment: Environment): BoxNames {
	return {
		contexts: () => listContexts(environment).then((all) => all.map(({ name }) => name), none),
		aliases: () => sshAliases(environment).catch(none),
	};
}

/** What `--on` takes by name. */
export async function everyBox(names: BoxNames): Promise<readonly string[]> {
	return [...new Set([DEFAULT_CONTEXT, ...(await names.contexts()), ...(await names.aliases())])];
}

function none(): readonly string[] {
	return [];
}
