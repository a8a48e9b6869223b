import { hasUrlPassword, isSecretKey, isSecretValue } from "./secret-values.js";

/** What a file gives away; `line` counts from 1. Never what it is. */
export interface GivenAway {
	readonly what: string;
	readonly line?: number;
}

/** A kind of file that holds credentials, or may. */
interface KnownFile {
	/** Fits its path. */
	readonly path: RegExp;
	readonly judge: (content: Buffer) => GivenAway | undefined;
}

/** By its path and its content. The first kind that fits the path decides. */
export function judgeFile(path: string, content: Buffer): GivenAway | undefined {
	return KNOWN_FILES.find((kind) => kind.path.test(path))?.judge(content);
}

/** Whether judgeFile() knows what to make of a file of that path. */
export function isKnownFile(path: string): boolean {
	return KNOWN_FILES.some((kind) => kind.path.test(path));
}

const KNOWN_FILES: readonly KnownFile[] = [
	{
		path: /(?:^|\/)config\/(?:master|credentials\/[^/]*)\.key$/,
		judge: line(/^([0-9a-f]{32})\s*$/, "a key of Rails' credentials"),
	},
	{
		path: /(?:^|\/)(?:id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|[^/]*\.(?:pem|key|ppk|p8))$/i,
		judge: privateKey,
	},
	{ path: /\.(?:p12|pfx)$/i, judge: magic([0x30], "a PKCS #12 key store") },
	// Beside keys there are stores of nothing but certificates.
	{ path: /(?:trust|cacerts|debug)[^/]*$/i, judge: () => undefined },
	{
		path: /\.(?:jks|keystore|bks)$/i,
		judge: (content) =>
			magic([0xfe, 0xed, 0xfe, 0xed], "a Java key store")(content) ??
			magic([0x30], "a PKCS #12 key store")(content),
	},
	{ path: /\.kdbx$/i, judge: magic([0x03, 0xd9, 0xa2, 0x9a], "a KeePass database") },
	{
		path: /(?:^|\/)\.env[^/]*\.(?:example|sample|template|tmpl|dist|defaults?|schema|test|ci|vault|enc|encrypted|gpg|md|ts|js)$/i,
		judge: () => undefined,
	},
	{
		path: /(?:^|\/)(?:example|sample|template|test|ci)\.env$/i,
		judge: () => undefined,
	},
	{ path: /(?:^|\/)(?:\.envrc|\.env(?:\.[^/]*)?|[^/]*\.env)$/i, judge: settings },
	{ path: /\.tfvars$/i, judge: settings },
	{ path: /(?:^|\/)gradle\.properties$/, judge: settings },
	{
		path: /(?:^|\/)\.npmrc$/,
		judge: line(/(?:_authToken|_auth|_password)\s*=\s*(.+)/, "an npm login"),
	},
	{
		path: /(?:^|\/)\.yarnrc\.yml$/,
		judge: line(/\b(?:npmAuthToken|npmAuthIdent):\s*(.+)/, "an npm login"),
	},
	{ path: /(?:^|\/)\.pypirc$/, judge: line(/^\s*password\s*[:=]\s*(.+)/, "a login of PyPI") },
	{ path: /(?:^|\/)[._]netrc$/, judge: line(/\bpassword\s+(\S+)/, "a password") },
	{
		path: /(?:^|\/)\.git-credentials$/,
		judge: eachLine("a git login", hasUrlPassword),
	},
	{
		// actions/checkout leaves its token there.
		path: /(?:^|\/)\.git\/config$/,
		judge: eachLine(
			"a git login",
			(text) => hasUrlPassword(text) || /extraheader\s*=\s*authorization:/i.test(text),
		),
	},
	{
		path: /(?:^|\/)(?:\.docker\/config\.json|\.dockercfg|auth\.json)$/,
		judge: registryLogin,
	},
	{
		path: /(?:^|\/)\.cargo\/credentials(?:\.toml)?$/,
		judge: line(/^\s*token\s*=\s*(.+)/, "a cargo token"),
	},
	{
		path: /(?:^|\/)\.gem\/credentials$/,
		judge: line(/^\s*:\w*key:\s*(.+)/, "a RubyGems key"),
	},
	{
		path: /(?:^|\/)(?:credentials|\.aws\/config)$/,
		judge: line(/\baws_(?:secret_access_key|session_token)\s*=\s*(.+)/i, "an AWS key"),
	},
	{
		path: /(?:^|\/)(?:\.kube\/config|(?:[^/]*[._-])?kubeconfig(?:\.ya?ml)?)$/,
		judge: line(/^[\s-]*(?:client-key-data|token|password):\s*(.+)/, "a login of Kubernetes"),
	},
	{
		path: /(?:^|\/)(?:\.terraformrc|terraform\.rc|credentials\.tfrc\.json)$/,
		judge: line(/"?\btoken"?\s*[:=]\s*"([^"]+)"/, "a Terraform token"),
	},
	{
		path: /(?:credential|service[-_]?account|adminsdk|client_secret)[^/]*\.json$/i,
		judge: line(
			/"(?:private_key|refresh_token|client_secret)"\s*:\s*"([^"]+)"/,
			"a key of Google Cloud",
		),
	},
	{
		path: /(?:^|\/)(?:accessTokens|msal_token_cache|azureauth)\.json$/,
		judge: line(
			/"(?:clientSecret|accessToken|refreshToken|secret)"\s*:\s*"([^"]+)"/,
			"a login of Azure",
		),
	},
	{
		path: /\.publishsettings$/i,
		judge: line(/\b(?:userPWD|ManagementCertificate)="([^"]+)"/, "a login of Azure"),
	},
	{
		path: /\.tfstate(?:\.[^/]*)?$/i,
		judge: (content) =>
			/"(?:resources|modules)"\s*:\s*\[\s*\{/.test(content.toString("latin1"))
				? { what: "a Terraform state" }
				: undefined,
	},
	{
		path: /(?:^|\/)(?:\.pgpass|pgpass\.conf)$/,
		judge: line(/^(?!#)[^:]+:[^:]*:[^:]*:[^:]*:(.+)/, "a password"),
	},
	{
		path: /(?:^|\/)(?:\.my\.cnf|rclone\.conf)$/,
		judge: line(/^\s*pass(?:word)?\s*=\s*(.+)/, "a password"),
	},
	{
		path: /(?:^|\/)(?:\.s3cfg|\.boto)$/,
		judge: line(/^\s*\w*secret(?:_access)?_key\s*=\s*(.+)/, "a key of an object store"),
	},
	{ path: /(?:^|\/)\.vault-token$/, judge: line(/^(\S+)\s*$/, "a Vault token") },
	{
		path: /(?:^|\/)gh\/hosts\.yml$/,
		judge: line(/\boauth_token:\s*(.+)/, "a GitHub token"),
	},
	{
		path: /(?:^|\/)settings\.xml$/,
		judge: line(/<(?:password|passphrase)>([^<]+)</, "a password"),
	},
];

/** RFC 7468 and the forms before it, and PuTTY's. What is short is a drawing of one. */
function privateKey(content: Buffer): GivenAway | undefined {
	const text = content.toString("latin1");
	const pem = /-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY(?: BLOCK)?-----[\s\S]{60}/.exec(text);
	if (pem !== null)
		return {
			what: `${KEY_WORDS[pem[1]?.trim() ?? ""] ?? "a"} private key`,
			line: lineAt(text, pem.index),
		};
	return text.startsWith("PuTTY-User-Key-File-") ? { what: "a private key of PuTTY" } : undefined;
}

const KEY_WORDS: Readonly<Record<string, string>> = {
	OPENSSH: "an OpenSSH",
	RSA: "an RSA",
	EC: "an EC",
	ENCRYPTED: "an encrypted",
};

/** "KEY=VALUE" of shells, .env files, properties and tfvars. */
function settings(content: Buffer): GivenAway | undefined {
	return eachLine("a credential", (text) => {
		const match = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(.*)$/.exec(text);
		if (match === null) return false;
		const [, key = "", rest = ""] = match;
		const value = /^(["']).*?\1/.exec(rest)?.[0] ?? rest.replace(/\s#.*$/, "");
		return (isSecretKey(key) && isSecretValue(value)) || hasUrlPassword(value);
	})(content);
}

/** Of docker and podman ("auths", or what was all of .dockercfg), and of composer. */
function registryLogin(content: Buffer): GivenAway | undefined {
	return line(
		/"(?:auth|identitytoken|registrytoken|password|bearer|[^"]*(?:github|gitlab)[^"]*)"\s*:\s*"([^"]+)"/,
		"a login",
	)(content);
}

/** A line in which the first group of the pattern is a credential. */
function line(pattern: RegExp, what: string): KnownFile["judge"] {
	return eachLine(what, (text) => {
		const value = pattern.exec(text)?.[1];
		return value !== undefined && isSecretValue(value);
	});
}

function eachLine(what: string, givesAway: (line: string) => boolean): KnownFile["judge"] {
	return (content) => {
		const lines = content.toString("latin1").split(/\r?\n/);
		const at = lines.findIndex((text) => !/^\s*[#;]/.test(text) && givesAway(text));
		return at < 0 ? undefined : { what, line: at + 1 };
	};
}

function magic(bytes: readonly number[], what: string): KnownFile["judge"] {
	return (content) => (bytes.every((byte, at) => content[at] === byte) ? { what } : undefined);
}

function lineAt(text: string, index: number): number {
	return text.slice(0, index).split("\n").length;
}
