import { UsageError } from "../errors.js";

/**
 * The name of an image, normalised as docker does it: "app" is docker.io/library/app:latest.
 * Grammar and limits: github.com/distribution/reference.
 */
interface ImageReference {
	/** The registry's host, with its port if it was named: "docker.io", "localhost:5000". */
	readonly domain: string;
	/** The repository on that registry: "library/app". */
	readonly path: string;
	/** "latest" unless the reference has another tag or a digest. */
	readonly tag?: string;
	/** "sha256:" and 64 hex digits, or another registered algorithm. */
	readonly digest?: string;
	/** The whole reference as docker shows it, without docker.io and library/: "app:latest". */
	readonly familiar: string;
}

export const DOCKER_HUB = "docker.io";

const MAX_PATH_LENGTH = 255;
const HEX_DIGITS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

const DOMAIN_PART = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const DOMAIN = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const TAG = "\\w[\\w.-]{0,127}";
const DIGEST = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const REFERENCE = new RegExp(
	`^(${DOMAIN})/(${PATH_PART}(?:/${PATH_PART})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`,
);

/** @throws UsageError when it is not an image reference. */
export function parseReference(text: string): ImageReference {
	return parse(text, "image reference");
}

/**
 * What `-t` takes: a reference without a digest.
 * @throws UsageError
 */
export function parseTag(text: string): ImageReference & { readonly tag: string } {
	const { tag, digest, ...name } = parse(text, "tag");
	if (tag === undefined || digest !== undefined) {
		throw new UsageError(`invalid tag "${text}": a tag cannot hold a digest`, {
			hint: `leave "@${digest}" out: the digest follows from what is built`,
		});
	}
	return { ...name, tag };
}

function parse(text: string, what: string): ImageReference {
	const refuse = (reason: string, hint = "write it as [registry[:port]/]name[:tag]") =>
		new UsageError(`invalid ${what} "${text}": ${reason}`, { hint });

	if (text === "") throw refuse("it is empty");
	if (/^[a-f0-9]{64}$/.test(text)) {
		throw refuse("64 hexadecimal digits are an image id, not a name");
	}
	const { domain, rest } = splitDomain(text);
	const colon = rest.indexOf(":");
	const repository = colon === -1 ? rest : rest.slice(0, colon);
	const lowerCase = repository.toLowerCase();
	if (repository !== lowerCase) {
		const suffix = rest.slice(repository.length);
		throw refuse(
			"the repository name must be lower case",
			// "App/Web" has a registry to docker, which is hardly meant.
			`write it as "${familiarName(domain.toLowerCase(), lowerCase)}${suffix}"`,
		);
	}
	const match = REFERENCE.exec(`${domain}/${rest}`);
	const path = match?.[2];
	if (match === null || path === undefined) {
		throw refuse("not of the form [registry[:port]/]name[:tag][@digest]", FORM_HINT);
	}
	if (path.length > MAX_PATH_LENGTH) {
		throw refuse(`the repository name is longer than ${MAX_PATH_LENGTH} characters`);
	}
	const digest = match[4];
	const mistake = digest === undefined ? undefined : digestMistake(digest);
	if (mistake !== undefined) throw refuse(mistake, "write a digest as sha256:<64 hex digits>");

	const tag = match[3] ?? (digest === undefined ? "latest" : undefined);
	const name = familiarName(domain, path);
	return {
		domain,
		path,
		...(tag !== undefined && { tag }),
		...(digest !== undefined && { digest }),
		familiar: `${name}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`,
	};
}

const FORM_HINT =
	"names are lower case letters and digits separated by . _ __ or -; tags have at most 128 of A-Z a-z 0-9 _ . -";

/** What comes before the first slash is a registry only if it could not be a repository's name. */
function splitDomain(text: string): { readonly domain: string; readonly rest: string } {
	const slash = text.indexOf("/");
	const first = text.slice(0, Math.max(slash, 0));
	let domain = DOCKER_HUB;
	let rest = text;
	if (first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase()) {
		domain = first === "index.docker.io" ? DOCKER_HUB : first;
		rest = text.slice(slash + 1);
	}
	if (domain === DOCKER_HUB && !rest.includes("/")) rest = `library/${rest}`;
	return { domain, rest };
}

function familiarName(domain: string, path: string): string {
	if (domain !== DOCKER_HUB) return `${domain}/${path}`;
	return /^library\/[^/]+$/.test(path) ? path.slice("library/".length) : path;
}

/** The algorithms that docker has registered: github.com/opencontainers/go-digest. */
function digestMistake(digest: string): string | undefined {
	const [algorithm = "", hex = ""] = digest.split(":");
	const digits = Object.hasOwn(HEX_DIGITS, algorithm) ? HEX_DIGITS[algorithm] : undefined;
	if (digits === undefined) return `unsupported digest algorithm ${algorithm}`;
	if (hex.length !== digits) return `a ${algorithm} digest has ${digits} hexadecimal digits`;
	return /^[a-f0-9]+$/.test(hex) ? undefined : "a digest is written in lower case";
}
