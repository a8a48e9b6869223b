/**
 * Flags that docker takes for not given where their value is empty, as scripts write them: --target "$TARGET".
 * Tried with docker 28.2 without BuildKit and buildx 0.29: --platform only the former takes, and --add-host only the
 * latter. Of the others it refuses --tag, --label, --build-arg, --shm-size, --ulimit and --attest, and
 * --no-cache-filter "" has every stage built anew.
 */
const OF_BUILDS: readonly string[] = [
	...["target", "file", "platform", "network", "add-host", "cgroup-parent"],
	...["cache-from", "cache-to", "build-context", "secret", "ssh", "allow"],
	...["annotation", "provenance", "sbom", "call", "builder"],
	...["output", "progress", "iidfile", "metadata-file"],
];

/** The same flags where they say of another command what build is meant. */
const OF_OTHERS: readonly string[] = ["target", "file", "platform", "progress"];

/** @param argv as normalizeFlags() writes it */
export function withoutEmptyFlags(command: string, argv: readonly string[]): readonly string[] {
	const names = command === "build" ? OF_BUILDS : OF_OTHERS;
	return argv.filter((word) => {
		const name = /^--(.*)=$/.exec(word)?.[1];
		return name === undefined || !names.includes(name);
	});
}
