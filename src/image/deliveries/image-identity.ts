import { isDeepStrictEqual } from "node:util";
import { fields } from "../../engine/document.js";
import type { Engine } from "../../engine/engine.js";
import { imagePath } from "../../engine/images.js";

/** What tells one image from another in GET /images/{name}/json, whatever the daemon's store. */
interface ImageIdentity {
	/** "sha256:" and 64 hex digits: of the config, or in the containerd image store of the manifest. */
	readonly id: string;
	/** The digests of the uncompressed layers, and what a container of the image starts with. */
	readonly content: unknown;
}

/**
 * @param name an image id, or a reference with its tag
 * @throws EngineError (status 404 when there is no such image)
 */
export async function identifyImage(
	engine: Engine,
	name: string,
	signal: AbortSignal,
): Promise<ImageIdentity> {
	const path = `${imagePath(name)}/json`;
	const image = fields(await engine.json({ method: "GET", path, signal }));
	const config = fields(image.Config);
	const id = String(image.Id);
	return {
		id: id.includes(":") ? id : `sha256:${id}`,
		content: [
			[image.Os, image.Architecture, fields(image.RootFS).Layers],
			...CONFIG_FIELDS.map((field) => unlessEmpty(config[field])),
		],
	};
}

/** The same content by other digests, as after a move between two kinds of image store. */
export function sameContent(one: ImageIdentity, other: ImageIdentity): boolean {
	return isDeepStrictEqual(one.content, other.content);
}

/** Those that every image store tells in the same way (OCI image-spec, "config"). */
const CONFIG_FIELDS = [
	...["Cmd", "Entrypoint", "Env", "ExposedPorts", "Labels"],
	...["StopSignal", "User", "Volumes", "WorkingDir"],
];

/** Daemons differ in whether they leave out what is empty, or give it as null, "", [] or {}. */
function unlessEmpty(value: unknown): unknown {
	const empty =
		value === "" || (typeof value === "object" && Object.keys(value ?? {}).length === 0);
	return empty ? undefined : value;
}
