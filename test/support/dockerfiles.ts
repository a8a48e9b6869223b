import {
	chmodSync,
	linkSync,
	lutimesSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { packFiles } from "../../src/context/content/tar-pack.js";
import { BASE_IMAGE } from "./base-image.js";

/** Builders that a Dockerfile of fixtures/dockerfiles may be for: the two are Docker 20.10 and 28.5. */
export type CaseBuilder = "20.10" | "28.5" | "classic" | "podman";

/** A Dockerfile of fixtures/dockerfiles. Comments at its end say what it is for. */
interface DockerfileCase {
	readonly name: string;
	readonly text: string;
	/** "# with:" */
	readonly target: string | undefined;
	readonly buildArgs: Readonly<Record<string, string>>;
	/** "# on:" */
	readonly builders: ReadonlySet<CaseBuilder>;
	/** "# takes:" paths of writeTree(), a folder with "/" at its end standing for the files in it, a blank written as "+". */
	readonly takes: readonly string[];
	/** "# takes on classic:", if it is something else. */
	readonly classicTakes: readonly string[];
}

const BUILDERS: Readonly<Record<string, readonly CaseBuilder[]>> = {
	all: ["20.10", "28.5", "classic", "podman"],
	buildkit: ["20.10", "28.5"],
	modern: ["28.5"],
	"not podman": ["20.10", "28.5", "classic"],
	none: [],
};

export function dockerfileCases(): readonly DockerfileCase[] {
	const folder = join(checkout(), "fixtures/dockerfiles");
	return readdirSync(folder)
		.sort()
		.map((file) => {
			const text = readFileSync(join(folder, file), "utf8").replaceAll(
				"FROM BASE",
				`FROM ${BASE_IMAGE}`,
			);
			const note = (name: string) => new RegExp(`^# ${name}:(.*)$`, "m").exec(text)?.[1]?.trim();
			const paths = (list: string) =>
				list
					.split(" ")
					.filter(Boolean)
					.map((path) => path.replaceAll("+", " "));
			const flags = note("with") ?? "";
			const args = [...flags.matchAll(/--build-arg (\w+)=(\S*)/g)];
			const takes = note("takes") ?? fail(`${file} does not say what it takes`);
			return {
				name: file.replace(/\.Dockerfile$/, ""),
				text,
				target: /--target (\S+)/.exec(flags)?.[1],
				buildArgs: Object.fromEntries(args.map(([, name, value]) => [name, value])),
				builders: new Set(BUILDERS[note("on") ?? "all"] ?? fail(`${file} is for unknown builders`)),
				takes: paths(takes),
				classicTakes: paths(note("takes on classic") ?? takes),
			};
		});
}

const FILES = `
	.config/app .env.example !important $literal LICENSE Makefile README.md app/main.py app/util.py
	bin/linux/amd64 bin/linux_amd64 bin/linux/arm64 cmd/server/main.go config/dev.yml config/prod.yml
	config/test.yml docs/guide.md etc/nginx.conf go.mod go.sum internal/x/x.go main.go odd*name odd-name
	[id]/page.tsx i/page.tsx package-lock.json package.json packages/api/README.md
	packages/api/package.json packages/api/src/index.ts packages/common/package.json
	packages/common/src/util.ts packages/web/package.json packages/web/src/index.ts private/key.txt
	public/css/main.css public/index.html requirements.txt scripts/build.sh scripts/entry.sh src/app.ts
	src/assets/logo.svg src/index.ts src/lib/a.ts src/lib/b.test.ts src/lib/b.ts tsconfig.json
	with+space/a+file.txt with+space/another.txt
`;

const LINKS: Readonly<Record<string, string>> = {
	absolute: "/config",
	chain: "current",
	current: "src/lib",
	dangling: "nowhere/at/all",
	"deep/er/license.up": "../../../../LICENSE",
	"deep/er/link": "/packages/api/src",
	"deep/link": "../packages/api",
	"docs.link": "docs",
	loop: "loop",
	"prod.link": "config/prod.yml",
	"src/lib/to-app": "../../app",
};

const MODES: Readonly<Record<string, number>> = {
	"private/key.txt": 0o600,
	private: 0o700,
	"scripts/build.sh": 0o755,
	"scripts/entry.sh": 0o4711,
	"packages/api": 0o2750,
	"packages/api/src": 0o1777,
};

/** The context that the Dockerfiles are written for, the same bytes and times each time, with them in "dockerfiles". */
export function writeTree(root: string): void {
	const write = (path: string, content: string | Uint8Array) => {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), content);
	};
	for (const file of FILES.trim().split(/\s+/)) {
		const path = file.replaceAll("+", " ");
		write(path, `${path}\n`);
	}
	write("static.tar.gz", packFiles([{ path: "index.html", content: Buffer.from("<p>") }]));
	mkdirSync(join(root, "docs/empty"));
	for (const [path, target] of Object.entries(LINKS)) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		symlinkSync(target, join(root, path));
	}
	linkSync(join(root, "LICENSE"), join(root, "packages/api/LICENSE"));
	for (const { name, text } of dockerfileCases()) write(`dockerfiles/${name}`, text);
	for (const [path, mode] of Object.entries(MODES)) chmodSync(join(root, path), mode);
	for (const path of ["", ...readdirSync(root, { recursive: true, encoding: "utf8" })]) {
		lutimesSync(join(root, path), 1_700_000_000, 1_700_000_000);
	}
}

/** This file is run from a build directory inside of the checkout. */
function checkout(): string {
	return join(import.meta.dirname, "../../..");
}

function fail(message: string): never {
	throw new Error(message);
}
