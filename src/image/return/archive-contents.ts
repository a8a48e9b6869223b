import { DeliveryError } from "../../errors.js";
import { asDigest } from "../manifest/digest.js";
import { diffIdsOf } from "../manifest/image-manifest.js";
import { ArchiveDigests } from "./archive-digests.js";

/** Longest description that is kept, in bytes; they have some hundred bytes for each layer. */
const DESCRIPTION_LIMIT = 8 * 1024 * 1024;

/** Docker's before 25, and podman's, which it follows. */
const CONFIG = /^[0-9a-f]{64}\.json$/;

/** An entry of a tar whose data is coming. */
export interface ArchiveEntry {
	/** Bytes of data, without padding. */
	readonly size: number;
	append(data: Buffer): void;
}

/**
 * What an image archive says it holds, and whether it does. manifest.json is docker's own list (moby
 * image/spec), index.json the OCI image layout's; which of them is there depends on the daemon.
 */
export class ArchiveContents {
	readonly #descriptions = new Map<string, Buffer[]>();
	readonly #digests = new ArchiveDigests();
	/** The size that a pax header announced for the entry after it. */
	#announcedSize: number | undefined;

	/** @param header a valid tar header block */
	entry(header: Buffer): ArchiveEntry {
		const name = field(header, 0, 100).replace(/^\.\//, "");
		const type = field(header, 156, 1);
		const size = this.#announcedSize ?? readNumber(header.subarray(124, 136));
		if (type === "x") return this.#paxHeader(size);
		this.#announcedSize = undefined;

		if (type === "1" || type === "2") this.#digests.link(name, field(header, 157, 100));
		const hash = size > 0 ? this.#digests.file(name) : undefined;
		const kept: Buffer[] = [];
		const keep = name === "manifest.json" || name === "index.json" || CONFIG.test(name);
		if (keep) {
			if (size > DESCRIPTION_LIMIT) {
				throw new DeliveryError(`${name} in the daemon's image archive is ${size} bytes long`);
			}
			this.#descriptions.set(name, kept);
		}
		const append = (data: Buffer) => {
			hash?.update(data);
			if (keep) kept.push(data);
		};
		return { size, append };
	}

	/** The ids by which a daemon may call the image: digests of its config, manifest or index. */
	get imageIds(): ReadonlySet<string> {
		const configs = this.#images.map((image) => `sha256:${digestOfPath(String(image.Config))}`);
		const index = this.#description("index.json") as { manifests?: unknown } | undefined;
		const manifests = asList(index?.manifests).map((manifest) => String(manifest.digest));
		return new Set([...configs, ...manifests]);
	}

	/** Whether manifest.json, without which no docker loads the archive, is there, and the image is. */
	holds(imageId: string): boolean {
		return this.#descriptions.has("manifest.json") && this.imageIds.has(imageId);
	}

	/** When all of it has come. @throws DeliveryError where it is not what it says it is */
	check(): void {
		this.#digests.checkNames();
		for (const { Config, Layers } of this.#images) {
			const config = this.#descriptions.get(String(Config));
			if (config === undefined || !Array.isArray(Layers)) continue;
			const digest = asDigest(`sha256:${digestOfPath(String(Config))}`, "the configuration");
			this.#digests.checkLayers(Layers.map(String), diffIdsOf(Buffer.concat(config), digest));
		}
	}

	get #images(): readonly Readonly<Record<string, unknown>>[] {
		return asList(this.#description("manifest.json"));
	}

	#description(name: string): unknown {
		const text = Buffer.concat(this.#descriptions.get(name) ?? []).toString("utf8");
		try {
			return text === "" ? undefined : JSON.parse(text);
		} catch {
			throw new DeliveryError(`${name} in the daemon's image archive is not JSON`);
		}
	}

	/** Go's tar writer moves a size of 8 GiB or more into a pax header. */
	#paxHeader(size: number): ArchiveEntry {
		let text = "";
		return {
			size,
			append: (data) => {
				text += data.toString("latin1");
				const announced = /(?:^|\n)\d+ size=(\d+)\n/.exec(text)?.[1];
				if (announced !== undefined) this.#announcedSize = Number(announced);
			},
		};
	}
}

/** "blobs/sha256/HEX" since docker 25, "HEX.json" before it and from podman. */
function digestOfPath(path: string): string {
	return path.replace(/^.*\//, "").replace(/\.json$/, "");
}

function asList(value: unknown): readonly Readonly<Record<string, unknown>>[] {
	return Array.isArray(value)
		? value.filter((item) => typeof item === "object" && item !== null)
		: [];
}

function field(header: Buffer, start: number, length: number): string {
	return header.toString("latin1", start, start + length).replace(/\0.*$/s, "");
}

/** Octal digits, or GNU's base 256 with the highest bit set. */
function readNumber(digits: Buffer): number {
	if (((digits[0] ?? 0) & 0x80) === 0) return Number.parseInt(digits.toString("latin1"), 8) || 0;
	return digits.subarray(1).reduce((number, byte) => number * 256 + byte, 0);
}
