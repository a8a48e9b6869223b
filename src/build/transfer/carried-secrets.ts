import { randomBytes } from "node:crypto";
import type { ExtraFile } from "../../context/content/extra-files.js";
import { packFilesOpen } from "../../context/content/tar-pack.js";
import type { PlannedSecrets } from "../plan/secrets.js";

/**
 * Secrets that go with the tar of a context, to Podman, which has no sessions to ask for them. It takes them out
 * of the context before it looks at anything else in it, so that no step can copy them (Podman 4.0 to 5.8,
 * pkg/api/handlers/compat/images_build.go).
 */
export interface CarriedSecrets {
	/** Where each is in the tar, by its id. */
	readonly paths: ReadonlyMap<string, string>;
	/** What the tar begins with. */
	readonly tar: Uint8Array;
}

/**
 * @returns undefined where there are none
 * @throws UsageError for one that cannot be read
 */
export async function carrySecrets(
	{ ids, read }: PlannedSecrets,
	signal: AbortSignal,
): Promise<CarriedSecrets | undefined> {
	if (ids.length === 0) return undefined;
	const paths = new Map<string, string>();
	const files: ExtraFile[] = [];
	for (const id of ids) {
		// No file of the context has such a name, and replaces it.
		const path = `rbuild-secret-${randomBytes(16).toString("hex")}`;
		paths.set(id, path);
		files.push({ path, content: (await read(id, signal)) ?? new Uint8Array(), mode: 0o600 });
	}
	return { paths, tar: packFilesOpen(files) };
}
