/** What the arguments of a keyword must be; keywords that are not here are taken as they are. */
type ArgumentKind = "word" | "port" | "number" | "time" | "flag" | "list" | "rest" | Choices;

type Choices = readonly string[];

const KINDS: Readonly<Record<string, ArgumentKind>> = {
	addressfamily: ["any", "inet", "inet6"],
	batchmode: "flag",
	bindaddress: "word",
	bindinterface: "word",
	certificatefile: "word",
	ciphers: "word",
	connecttimeout: "time",
	globalknownhostsfile: "list",
	gssapiauthentication: "flag",
	hashknownhosts: "flag",
	hostkeyalgorithms: "word",
	hostkeyalias: "word",
	hostname: "word",
	identitiesonly: "flag",
	identityagent: "word",
	identityfile: "word",
	kbdinteractiveauthentication: "flag",
	kexalgorithms: "word",
	knownhostscommand: "rest",
	macs: "word",
	numberofpasswordprompts: "number",
	passwordauthentication: "flag",
	port: "port",
	preferredauthentications: "word",
	proxycommand: "rest",
	proxyjump: "rest",
	proxyusefdpass: "flag",
	serveralivecountmax: "number",
	serveraliveinterval: "time",
	stricthostkeychecking: ["yes", "true", "no", "off", "false", "ask", "accept-new"],
	tag: "word",
	user: "word",
	userknownhostsfile: "list",
};

const OLD_NAMES: Readonly<Record<string, string>> = {
	challengeresponseauthentication: "kbdinteractiveauthentication",
	identityfile2: "identityfile",
};

export function currentName(keyword: string): string {
	return OLD_NAMES[keyword] ?? keyword;
}

/** What `ssh -G` would print for these arguments. @returns a text instead where they are wrong. */
export function readArguments(
	keyword: string,
	args: readonly string[],
	rest: string,
): readonly string[] | string {
	const kind = KINDS[keyword];
	if (kind === "rest") return [rest.replace(/^[ \t=]+/, "")];
	if (kind === undefined || kind === "list") return args;
	const [arg = ""] = args;
	if (arg === "") return "missing argument";
	if (args.length > 1) return `keyword ${keyword} extra arguments at end of line`;
	switch (kind) {
		case "word":
			return [arg];
		case "port":
			return isPort(arg) ? [arg] : `bad port "${arg}"`;
		case "number":
			return /^-?\d+$/.test(arg) ? [arg] : `"${arg}" is not a number`;
		case "time":
			return time(arg) ?? `"${arg}" is not a time`;
		case "flag":
			return flag(arg.toLowerCase()) ?? `"${arg}" is neither yes nor no`;
		default:
			return kind.includes(arg.toLowerCase())
				? [arg.toLowerCase()]
				: `"${arg}" is not supported: use ${kind.join(", ")}`;
	}
}

export function isPort(text: string): boolean {
	return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536;
}

function flag(arg: string): [string] | undefined {
	if (arg === "yes" || arg === "true") return ["yes"];
	return arg === "no" || arg === "false" ? ["no"] : undefined;
}

const SECONDS: Readonly<Record<string, number>> = {
	s: 1,
	m: 60,
	h: 3600,
	d: 86_400,
	w: 604_800,
};

/** sshd_config(5), TIME FORMATS: "90", "1m30s". */
function time(arg: string): [string] | undefined {
	if (arg === "none") return ["none"];
	if (!/^(\d+[smhdw])*\d*$/i.test(arg)) return undefined;
	let seconds = 0;
	for (const [, count, unit] of arg.matchAll(/(\d+)([smhdw]?)/gi)) {
		seconds += Number(count) * (SECONDS[unit?.toLowerCase() || "s"] ?? 1);
	}
	return [String(seconds)];
}
