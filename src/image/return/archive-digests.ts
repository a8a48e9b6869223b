import { createHash, type Hash } from "node:crypto";
import { posix } from "node:path";
import { DeliveryError } from "../../errors.js";

/** A name that says what is in it: docker's "blobs/sha256/HEX" since 25 and "HEX.json" before it, podman's "HEX.tar". */
const NAMED = /(?:^|\/)([0-9a-f]{64})(?:\.json|\.tar)?$/;
/** Docker's before 25, whose content the image's configuration tells. */
const LAYER = /\/layer\.tar$/;

/**
 * Whether the parts of an image archive are what it says they are. A tar does not tell of a byte that has changed,
 * on the daemon's disk or on a way that is not encrypted.
 */
export class ArchiveDigests {
	readonly #hashes = new Map<string, Hash>();
	/** Of those that have come, in hex. */
	readonly #digests = new Map<string, string>();
	/** What else a name stands for: docker 20.10 writes a layer once. */
	readonly #links = new Map<string, string>();

	/** @returns what takes the content, where that can be told from another one */
	file(name: string): Hash | undefined {
		if (!NAMED.test(name) && !LAYER.test(name)) return undefined;
		const hash = createHash("sha256");
		this.#hashes.set(name, hash);
		return hash;
	}

	link(name: string, target: string): void {
		this.#links.set(name, posix.join(posix.dirname(name), target));
	}

	/** When all of the archive has come. @throws DeliveryError */
	checkNames(): void {
		for (const name of this.#hashes.keys()) {
			const wanted = NAMED.exec(name)?.[1];
			if (wanted !== undefined && this.#digest(name) !== wanted) throw damaged(name);
		}
	}

	/**
	 * When all of the archive has come.
	 *
	 * @param names of the layers, from the bottom
	 * @param diffIds what they should be
	 * @throws DeliveryError
	 */
	checkLayers(names: readonly string[], diffIds: readonly string[]): void {
		for (const [index, name] of names.entries()) {
			const file = this.#links.get(name) ?? name;
			// What such a name says has been checked; it is another digest where the layer is compressed.
			if (NAMED.test(file)) continue;
			if (`sha256:${this.#digest(file)}` !== diffIds[index]) throw damaged(name);
		}
	}

	#digest(name: string): string {
		const digest = this.#digests.get(name) ?? this.#hashes.get(name)?.digest("hex") ?? "";
		this.#digests.set(name, digest);
		return digest;
	}
}

function damaged(name: string): DeliveryError {
	return new DeliveryError(`the daemon's image archive is damaged: ${name} is not what was built`, {
		hint: "look at the log and the disk of the daemon's machine, then try again",
	});
}
