import { join } from "node:path";
import { readKeptFile } from "../../cache-folder.js";
import { replaceCacheFile } from "../../disk/cache-file.js";
import { fields } from "../../engine/document.js";
import type { BlobCache } from "../cache/blob-cache.js";
import type { Digest } from "../manifest/digest.js";

/** Blobs that are remembered, the last ones. */
const MOST = 5000;

/** Which repository of a registry is known to have a blob, so that another one may take it over from there. */
export class MountHints {
	readonly #path: string;
	readonly #registry: string;
	readonly #repositories: ReadonlyMap<string, string>;

	/** What was noted down before; nothing where that cannot be read. */
	static async read(cache: BlobCache, registry: string): Promise<MountHints> {
		const path = join(cache.folder, "pushed.json");
		return new MountHints(path, registry, await readNotes(path));
	}

	private constructor(path: string, registry: string, repositories: ReadonlyMap<string, string>) {
		this.#path = path;
		this.#registry = registry;
		this.#repositories = repositories;
	}

	repositoryOf(digest: Digest): string | undefined {
		return this.#repositories.get(this.#key(digest));
	}

	/** Two that note down at once may lose one's notes. Never fails: they are only hints. */
	async note(digests: Iterable<Digest>, repository: string): Promise<void> {
		const notes = new Map(await readNotes(this.#path));
		for (const digest of digests) {
			const key = this.#key(digest);
			// At the end, as the newest.
			notes.delete(key);
			notes.set(key, repository);
		}
		const last = [...notes].slice(-MOST);
		const content = Buffer.from(JSON.stringify(Object.fromEntries(last)));
		await replaceCacheFile(this.#path, content).catch(() => {});
	}

	#key(digest: Digest): string {
		return `${this.#registry}/${digest}`;
	}
}

async function readNotes(path: string): Promise<ReadonlyMap<string, string>> {
	try {
		const notes = Object.entries(fields(JSON.parse(String(await readKeptFile(path)))));
		return new Map(notes.filter((note): note is [string, string] => typeof note[1] === "string"));
	} catch {
		return new Map();
	}
}
