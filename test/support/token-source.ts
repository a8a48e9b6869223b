import type { TokenSource } from "../../src/buildkit/auth.js";

/** Has the daemon ask for the login instead. */
export const NO_TOKENS: TokenSource = {
	seedFor: async () => undefined,
	fetch: async () => {
		throw new Error("no token was offered");
	},
};
