import type { Options } from "yargs";
import type { Environment } from "../../environment.js";

const REMOVED = "intermediate containers are always removed";
const LIMIT = "only the classic builder had it; use --ulimit or --cgroup-parent";

/** docker's flags that mean nothing here, and why. */
const REASONS = {
	rm: REMOVED,
	"force-rm": REMOVED,
	compress: "rbuild compresses when the link is slower than the CPU",
	squash: "use a multi-stage build",
	isolation: "it is for Windows containers",
	"security-opt": "use RUN --security=insecure with --allow security.insecure",
	memory: LIMIT,
	"memory-swap": LIMIT,
	"cpu-shares": LIMIT,
	"cpu-period": LIMIT,
	"cpu-quota": LIMIT,
	"cpuset-cpus": LIMIT,
	"cpuset-mems": LIMIT,
} as const satisfies Record<string, string>;

const SWITCHES: readonly string[] = ["rm", "force-rm", "compress", "squash"];
const LETTERS: Readonly<Record<string, string>> = { memory: "m", "cpu-shares": "c" };

/** They are accepted, so that old command lines work, and not shown. docker/cli hides them as well. */
export const OLD_FLAGS: Readonly<Record<string, Options>> = Object.fromEntries(
	Object.keys(REASONS).map((name) => [
		name,
		{
			...{ hidden: true, alias: LETTERS[name] ?? [] },
			...(SWITCHES.includes(name)
				? { type: "boolean" }
				: { type: "string", array: true, requiresArg: true, nargs: 1 }),
		},
	]),
);

/** buildx's, which is known only so that its hint can say what is meant here (flag-errors.ts). */
export const REFUSED_FLAGS = {
	builder: { type: "string", hidden: true },
} as const satisfies Record<string, Options>;

/** What to tell who gave one of them. */
export function oldFlagNotes(values: object): readonly string[] {
	return Object.entries(REASONS)
		.filter(([name]) => name in values && (values as Record<string, unknown>)[name] !== undefined)
		.map(([name, why]) => `--${name} has no effect: ${why}`);
}

/** What DOCKER_BUILDKIT says that asks docker for its old builder (docker/cli; Go's strconv.ParseBool). */
const NO_BUILDKIT: readonly string[] = ["0", "f", "F", "false", "False", "FALSE"];

/** The same of what docker reads from the environment. */
export function oldVariableNotes({ DOCKER_BUILDKIT = "" }: Environment["variables"]) {
	if (!NO_BUILDKIT.includes(DOCKER_BUILDKIT)) return [];
	const why = "BuildKit builds wherever the daemon has not turned it off";
	return [`DOCKER_BUILDKIT=${DOCKER_BUILDKIT} has no effect: ${why}`];
}
