import { type BlobStore, contentService } from "../../buildkit/content.js";
import type { TypedAttrs } from "../../buildkit/control.js";
import type { SessionService } from "../../buildkit/session-service.js";
import type { RbuildError } from "../../errors.js";
import type { Emit } from "../../events.js";
import { parseDescriptor } from "../../image/manifest/image-manifest.js";
import { OciLayout } from "../../image/oci-layout.js";
import type { BuildKitPlan } from "../plan/buildkit-plan.js";

/** How the daemon's exporter of caches tells what it wrote (cache/remotecache/export.go). */
const CACHE_DESCRIPTOR = "cache.manifest";

/** Makes a folder known to the daemon by the name that it returns. */
type Share = (layout: OciLayout) => string;

interface Written {
	readonly layout: OciLayout;
	readonly tag: string;
}

/** The folders of this side that BuildKit reads images and caches from, and writes caches to. */
export class ClientLayouts {
	/** As it was planned, with the names that the daemon has for the folders. */
	readonly buildkit: BuildKitPlan;
	/** Why this side could not take something, where it could not. */
	failure: RbuildError | undefined;
	/** What the session has to serve for them. */
	readonly services: readonly SessionService[];
	readonly #written: readonly Written[];

	/**
	 * As docker/buildx does, a cache that is not there is only warned of: there is none before the first build.
	 * @throws DeliveryError for a folder that is something else
	 */
	static async open(buildkit: BuildKitPlan, emit: Emit): Promise<ClientLayouts> {
		const stores = new Map<string, BlobStore>();
		const share: Share = (layout) => {
			const name = `rbuild-cache-${stores.size}`;
			stores.set(`local:${name}`, layout);
			return name;
		};
		const cacheImports: TypedAttrs[] = [];
		for (const cache of buildkit.cacheImports) {
			const found = cache.type === "local" ? await importOf(cache, share, emit) : cache;
			if (found !== undefined) cacheImports.push(found);
		}
		const written: Written[] = [];
		const cacheExports = buildkit.cacheExports.map((cache): TypedAttrs => {
			if (cache.type !== "local") return cache;
			const { dest = "", tag = "latest", ...attrs } = cache.attrs;
			const layout = new OciLayout(dest);
			written.push({ layout, tag });
			return { type: "local", attrs: { ...attrs, dest: share(layout) } };
		});
		for (const context of buildkit.namedContexts.values()) {
			if (context.kind === "layout")
				stores.set(`oci:${context.localName}`, new OciLayout(context.path));
		}
		return new ClientLayouts({ ...buildkit, cacheImports, cacheExports }, stores, written);
	}

	private constructor(
		buildkit: BuildKitPlan,
		stores: ReadonlyMap<string, BlobStore>,
		written: readonly Written[],
	) {
		this.buildkit = buildkit;
		this.services = stores.size === 0 ? [] : [contentService(stores, this.#note)];
		this.#written = written;
	}

	readonly #note = (failure: RbuildError) => {
		this.failure ??= failure;
	};

	/**
	 * To be called when the build has succeeded: puts what was written into the folders' indexes.
	 *
	 * @param result what the exporters said
	 * @throws DeliveryError
	 */
	async commit(result: Readonly<Record<string, string>>): Promise<void> {
		const descriptor = result[CACHE_DESCRIPTOR];
		if (descriptor === undefined) return;
		const cache = parseDescriptor(JSON.parse(descriptor), "the cache that the daemon wrote");
		for (const { layout, tag } of this.#written) await layout.tag(cache, tag);
	}
}

async function importOf(
	{ type, attrs: { src = "", tag = "latest", ...attrs } }: TypedAttrs,
	share: Share,
	emit: Emit,
): Promise<TypedAttrs | undefined> {
	const layout = new OciLayout(src);
	const digest = attrs.digest ?? (await layout.find(tag))?.digest;
	if (digest !== undefined && (await layout.size(digest)) !== undefined) {
		return { type, attrs: { ...attrs, src: share(layout), digest } };
	}
	emit({ type: "warning", message: `there is no cache in ${src}: nothing is taken from it` });
	return undefined;
}
