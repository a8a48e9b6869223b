import type { BlobCache } from "../cache/blob-cache.js";
import type { RegistryClient } from "./registry-client.js";

/** A repository of a registry, as far as a push needs it. */
export interface PushPlace {
	readonly client: RegistryClient;
	/** Such as "team/app". */
	readonly repository: string;
	readonly cache: BlobCache;
	readonly signal: AbortSignal;
}

/** What a push to a repository may do there. */
export function pushScopes(repository: string): readonly string[] {
	return [`repository:${repository}:pull,push`];
}
