/** The values of --progress. "quiet", for -q, prints the image id, and "none" not even that. */
export type ProgressMode = "auto" | "tty" | "plain" | "json" | "quiet" | "none";

/** A mode that has been decided on. */
export type RenderMode = Exclude<ProgressMode, "auto">;

type Variables = Readonly<Record<string, string | undefined>>;

export interface ProgressWish {
	readonly requested: ProgressMode;
	readonly quiet: boolean;
	/** Whether stderr is a terminal. */
	readonly isTTY: boolean;
	/** BUILDKIT_PROGRESS, CI and TERM are read. */
	readonly env: Variables;
}

/** In buildx, only the flag prints the image id for "quiet". "none" it refuses in the variable alone. */
const ENV_MODES: Readonly<Record<string, ProgressMode>> = {
	tty: "tty",
	plain: "plain",
	quiet: "none",
	none: "none",
};

/**
 * -q wins. BUILDKIT_PROGRESS is for where no flag says anything, as in buildx; what is no mode here is
 * left alone. A terminal display is never sent to something that is no terminal, even when it was asked
 * for; "auto" also stays away from CI and from TERM=dumb.
 */
export function chooseProgressMode({ requested, quiet, isTTY, env }: ProgressWish): RenderMode {
	if (quiet) return "quiet";
	const fromEnv = ENV_MODES[env.BUILDKIT_PROGRESS ?? ""];
	const wanted = requested === "auto" ? (fromEnv ?? "auto") : requested;
	if (wanted === "tty") return isTTY ? "tty" : "plain";
	if (wanted !== "auto") return wanted;
	return isTTY && !isCi(env) && env.TERM !== "dumb" ? "tty" : "plain";
}

/** The value of BUILDKIT_PROGRESS that would count, but is no mode here; buildx has "rawjson", and refuses others. */
export function unknownProgress({ requested, quiet, env }: ProgressWish): string | undefined {
	const { BUILDKIT_PROGRESS: value } = env;
	if (!value || value === "auto" || quiet || requested !== "auto") return undefined;
	return ENV_MODES[value] === undefined ? value : undefined;
}

interface ColorWish {
	/** --color or --no-color; undefined when neither was given. */
	readonly flag: boolean | undefined;
	/** Whether the stream to be coloured is a terminal. */
	readonly isTTY: boolean;
	/** NO_COLOR, FORCE_COLOR and TERM are read. */
	readonly env: Variables;
}

/** The flag, then NO_COLOR when not empty (no-color.org), then FORCE_COLOR, then what the terminal is. */
export function shouldUseColor({ flag, isTTY, env }: ColorWish): boolean {
	if (flag !== undefined) return flag;
	if (env.NO_COLOR) return false;
	if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR === "" || isSet(env.FORCE_COLOR);
	return isTTY && env.TERM !== "dumb";
}

/** What runs in CI has nobody to ask, whatever it has for a terminal. */
export function isCi(env: Variables): boolean {
	return isSet(env.CI);
}

function isSet(value: string | undefined): boolean {
	return value !== undefined && !["", "0", "false"].includes(value.toLowerCase());
}
