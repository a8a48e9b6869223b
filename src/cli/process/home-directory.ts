import * as os from "node:os";
import { isAbsolute } from "node:path";

/** What the system says of the user; both throw for a user id that has no name. */
interface Accounts {
	homedir(): string;
	userInfo(): { readonly homedir: string };
}

/**
 * The user's home directory, absolute. An empty or relative HOME is taken for none. A user id without a name, as
 * containers may run under, has its home where container engines put it.
 */
export function homeDirectory({ homedir, userInfo }: Accounts = os): string {
	try {
		const home = homedir();
		return isAbsolute(home) ? home : userInfo().homedir;
	} catch {
		return "/";
	}
}
