import { byteSize } from "../../build/plan/go-values.js";
import type { Ulimit } from "../../build/plan/options.js";
import { UsageError } from "../../errors.js";
import { unsupportedValue } from "../../unsupported-value.js";

/** Readers for the values of flags, in the forms that the docker CLI takes. */

/** "KEY=VALUE", or "KEY" alone for null. */
export function parseBuildArgs(values: readonly string[]): Record<string, string | null> {
	return Object.fromEntries(
		values.map((text) => {
			const [key, value] = splitPair(text, "--build-arg");
			return [key, value ?? null];
		}),
	);
}

/** "KEY=VALUE", or "KEY" alone for an empty value. */
export function parseLabels(values: readonly string[]): Record<string, string> {
	return Object.fromEntries(
		values.map((text) => {
			const [key, value] = splitPair(text, "--label");
			return [key, value ?? ""];
		}),
	);
}

function splitPair(text: string, flag: string): [string, string | undefined] {
	const equals = text.indexOf("=");
	const key = equals === -1 ? text : text.slice(0, equals);
	if (key.trim() === "") {
		throw new UsageError(`${flag} "${text}" has no name`, {
			hint: `write it as ${flag} NAME=VALUE`,
		});
	}
	return [key, equals === -1 ? undefined : text.slice(equals + 1)];
}

/** Bytes from "64m": powers of 1024, as docker's --shm-size. */
export function parseByteSize(text: string, flag: string): number {
	const bytes = byteSize(text);
	if (bytes !== undefined) return bytes;
	throw new UsageError(`${flag} "${text}" is not a size`, {
		hint: `write it as a number with a unit, such as ${flag} 64m`,
	});
}

export function parseRetries(text: string): number {
	if (/^\d{1,4}$/.test(text)) return Number(text);
	throw new UsageError(`--retries "${text}" is not a whole number`, {
		hint: "use 0 to give up when the connection is lost",
	});
}

/** Those that docker and podman know (docker/go-units, ulimit.go). */
const ULIMITS: readonly string[] = [
	...["core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc"],
	...["rss", "rtprio", "rttime", "sigpending", "stack"],
];

/** "nofile=1024" or "nofile=1024:2048"; -1 is unlimited. */
export function parseUlimit(text: string): Ulimit {
	const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text);
	const [, name, soft, hard] = match ?? [];
	if (name === undefined || soft === undefined) {
		throw new UsageError(`--ulimit "${text}" is not a limit`, {
			hint: "write it as NAME=SOFT[:HARD], such as nofile=1024:2048",
		});
	}
	if (!ULIMITS.includes(name)) throw unsupportedValue("--ulimit", name, ULIMITS);
	const limit = { name, soft: Number(soft), hard: Number(hard ?? soft) };
	const unlimited = (value: number) => (value < 0 ? Number.POSITIVE_INFINITY : value);
	if (unlimited(limit.soft) > unlimited(limit.hard)) {
		throw new UsageError(`--ulimit "${text}": the soft limit is above the hard one`, {
			hint: "write it as NAME=SOFT[:HARD], such as nofile=1024:2048",
		});
	}
	return limit;
}
