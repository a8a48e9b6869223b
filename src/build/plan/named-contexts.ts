import { createHash } from "node:crypto";
import { realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isRemoteUrl } from "../../context/context-source.js";
import type { Environment } from "../../environment.js";
import { ContextError, UsageError } from "../../errors.js";
import type { Descriptor } from "../../image/manifest/image-manifest.js";
import { OciLayout } from "../../image/oci-layout.js";
import { parseReference } from "../../image/reference.js";
import { systemReason } from "../../system-reason.js";

/** What a name in `FROM` or `COPY --from` stands for, instead of an image of that name. */
export type NamedContext =
	/** Sent as the build context is, by its own .dockerignore. */
	| {
			readonly kind: "directory";
			readonly root: string;
			readonly platform: NodeJS.Platform;
	  }
	/** An image in a folder, which the daemon reads as it needs it. */
	| {
			readonly kind: "layout";
			readonly path: string;
			/** The name by which the daemon asks for it. */
			readonly localName: string;
			readonly digest: string;
	  }
	/** "docker-image://…" or a URL: the daemon fetches it by itself. */
	| { readonly kind: "remote"; readonly source: string };

/**
 * Reads `--build-context NAME=VALUE` as docker/buildx does: what is neither an image nor a URL is a
 * directory.
 *
 * @returns by the name as BuildKit looks it up: "docker.io/library/alpine:latest" is "alpine"
 * @throws UsageError, ContextError
 */
export async function planNamedContexts(
	values: Readonly<Record<string, string>>,
	environment: Environment,
): Promise<ReadonlyMap<string, NamedContext>> {
	const contexts = new Map<string, NamedContext>();
	for (const [name, value] of Object.entries(values)) {
		contexts.set(contextName(name), await parse(name, value, environment));
	}
	return contexts;
}

/**
 * The name of a context as BuildKit looks it up (frontend/dockerui/config.go, NamedContext).
 * @throws UsageError
 */
export function contextName(name: string): string {
	return parseReference(name).familiar.replace(/:latest$/, "");
}

/**
 * How the frontend finds them (BuildKit frontend/dockerui/namedcontext.go).
 *
 * @param directories by name: how it finds those that are directories
 */
export function namedContextAttrs(
	contexts: ReadonlyMap<string, NamedContext>,
	directories: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> {
	if (contexts.size === 0) return {};
	const attrs = [...contexts].map(([name, context]) => [
		`context:${name}`,
		context.kind === "directory" ? directories.get(name) : sourceOf(context),
	]);
	// For a frontend from elsewhere: one that does not know of contexts is to say so.
	return {
		...Object.fromEntries(attrs),
		"frontend.caps": "moby.buildkit.frontend.contexts+forward",
	};
}

function sourceOf(context: Exclude<NamedContext, { kind: "directory" }>): string {
	return context.kind === "remote"
		? context.source
		: `oci-layout://${context.localName}@${context.digest}`;
}

async function parse(name: string, value: string, environment: Environment): Promise<NamedContext> {
	if (value === "") {
		throw new UsageError(`--build-context ${name} has an empty value`, {
			hint: "is a variable not set? Leave the flag out to do without",
		});
	}
	if (value.startsWith("docker-image://") || isRemoteUrl(value)) {
		return { kind: "remote", source: value };
	}
	if (value.startsWith("target:")) {
		throw new UsageError(`--build-context ${name}: targets of a bake file are not supported`, {
			hint: "use a directory, docker-image://NAME, oci-layout://FOLDER, or a git or http URL",
		});
	}
	const layout = /^oci-layout:\/\/(.+?)(?::(\w[\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/s.exec(
		value,
	);
	if (layout !== null) return parseLayout(name, layout, environment);
	const directory = resolve(environment.workingDirectory, value);
	const problem = await whyNoDirectory(directory);
	if (problem !== undefined) {
		throw new ContextError(`the build context ${name} (${value}) ${problem}`, {
			hint: `it was looked for at ${directory}`,
		});
	}
	return { kind: "directory", root: await realpath(directory), platform: environment.platform };
}

async function whyNoDirectory(path: string): Promise<string | undefined> {
	try {
		return (await stat(path)).isDirectory() ? undefined : "is not a directory";
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT" || code === "ENOTDIR") return "does not exist";
		return `cannot be read: ${systemReason(error)}`;
	}
}

/** As docker/buildx reads "oci-layout://FOLDER[:TAG][@DIGEST]"; without either, the tag is "latest" or the image alone. */
async function parseLayout(
	name: string,
	[value, folder = "", tag, digest]: RegExpExecArray,
	{ workingDirectory }: Environment,
): Promise<NamedContext> {
	const path = resolve(workingDirectory, folder);
	const found = digest ?? (await imageIn(new OciLayout(path), tag))?.digest;
	if (found === undefined) {
		const missing = tag === undefined ? "no image" : `no image with the tag ${tag}`;
		throw new ContextError(`the build context ${name} (${value}) has ${missing}`, {
			hint: `it was looked for in ${join(path, "index.json")}`,
		});
	}
	const hash = createHash("sha256").update(path).digest("hex").slice(0, 16);
	return { kind: "layout", path, localName: `layout-${hash}`, digest: found };
}

async function imageIn(
	layout: OciLayout,
	tag: string | undefined,
): Promise<Descriptor | undefined> {
	const tagged = await layout.find(tag ?? "latest");
	if (tagged !== undefined || tag !== undefined) return tagged;
	const [only, ...more] = await layout.manifests();
	return more.length === 0 ? only : undefined;
}
