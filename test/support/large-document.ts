import type {
	ContextDocument,
	IgnoredPath,
	SecretFinding,
	SentPath,
} from "../../src/survey/context-document.js";
import { Random } from "./random.js";

const EXTENSIONS = ["ts", "ts", "ts", "js", "json", "css", "md", "png", "map"];
const FOLDERS = [
	"api",
	"assets",
	"components",
	"core",
	"hooks",
	"lib",
	"models",
	"routes",
	"views",
];

/** What `rbuild context` would say of a made-up monorepo with that many files. */
export function largeDocument(count: number): ContextDocument {
	const random = new Random(7);
	const files: SentPath[] = [];
	const ignored: IgnoredPath[] = [];
	const directories = new Set<string>();
	const add = (path: string, size: number, neededBy: readonly number[]) => {
		for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
			const directory = path.slice(0, at);
			if (directories.has(directory)) continue;
			directories.add(directory);
			files.push({ path: directory, type: "directory", size: 0, mode: 0o755, neededBy: [] });
		}
		files.push({ path, type: "file", size, mode: 0o644, neededBy });
	};
	add("Dockerfile", 812, []);
	add("package.json", 2_310, [0]);
	add("package-lock.json", 684_211, [0]);
	add(".env", 412, []);
	add("deploy/id_ed25519", 399, []);
	const made = files.length - directories.size;
	for (let at = made; at < count; at++) {
		const top = random.pick(["packages", "packages", "packages", "services", "docs", "test"]);
		const folder = `${top}/${top}-${random.below(12)}/src/${random.pick(FOLDERS)}`;
		const extension = random.pick(EXTENSIONS);
		const size = Math.round(1.9 ** random.below(extension === "png" ? 23 : 17)) + random.below(900);
		const isNeeded = top === "packages" ? !random.once(9) : top === "services";
		const neededBy = isNeeded ? [top === "packages" ? 1 : 2] : [];
		add(`${folder}/${random.pick(FOLDERS)}-${at}.${extension}`, size, neededBy);
	}
	for (const [path, rule, size, inside] of [
		["node_modules", 0, 412_000_000, 38_211],
		[".git", 1, 91_000_000, 4_120],
		["packages/packages-1/dist", 2, 12_400_000, 311],
		["services/services-3/dist", 2, 7_100_000, 96],
	] as const) {
		ignored.push({ path, type: "directory", size, files: inside, rule });
	}
	const secrets: SecretFinding[] = [
		{ path: ".env", what: "a value for STRIPE_SECRET_KEY", line: 3 },
		{ path: "deploy/id_ed25519", what: "an OpenSSH private key" },
	];
	const sum = (paths: readonly { readonly size: number }[]) =>
		paths.reduce((total, { size }) => total + size, 0);
	const taken = (index: number) => {
		const of = files.filter(({ neededBy }) => neededBy?.includes(index));
		return { files: of.length, bytes: sum(of) };
	};
	const unused = files.filter(({ type, neededBy }) => type === "file" && neededBy?.length === 0);
	const bytes = sum(files);
	return {
		version: 1,
		context: "/home/me/shop",
		dockerfile: "Dockerfile",
		ignoreFile: ".dockerignore",
		totals: {
			files: count,
			bytes,
			ignored: {
				files: ignored.reduce((total, { files }) => total + files, 0),
				bytes: sum(ignored),
				directories: ignored.map(({ path }) => path),
			},
			compressed: { bytes: Math.round(bytes * 0.41), sampledBytes: 8_388_608 },
			upload: { bitsPerSecond: 20e6, seconds: (bytes * 0.41 * 8) / 20e6 },
		},
		files,
		ignored,
		rules: [
			{ line: 1, text: "node_modules", files: 38_211, bytes: 412_000_000 },
			{ line: 2, text: ".git", files: 4_120, bytes: 91_000_000 },
			{ line: 5, text: "**/dist", files: 407, bytes: 19_500_000 },
			{
				...{ line: 6, text: "coverage", files: 0, bytes: 0 },
				doubt: "matches nothing: did you mean **/coverage?",
			},
		],
		needs: {
			instructions: [
				{ line: 4, text: "COPY package*.json ./", ...taken(0) },
				{ line: 6, text: "COPY packages packages", ...taken(1) },
				{ line: 9, text: "COPY services services", ...taken(2) },
			],
			unused: { files: unused.length, bytes: sum(unused) },
			doubts: [],
		},
		advice: [
			{
				kind: "unused",
				text: "docs and test are sent, and no instruction takes anything of them",
				files: unused.length,
				bytes: sum(unused),
				paths: ["docs", "test"],
				lines: ["docs", "test"],
			},
			{
				kind: "duplicates",
				text: "12 files are there more than once",
				...{ files: 12, bytes: 3_411_200, paths: ["package-lock.json"], lines: [] },
			},
		],
		secrets,
	};
}
