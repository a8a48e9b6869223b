import type {
	ContextDocument,
	IgnoredPath,
	SecretFinding,
	SentPath,
} from "../../src/survey/context-document.js";

type Parts = Pick<ContextDocument, "files"> & Partial<ContextDocument>;

/** What `rbuild context` would say of these files. */
export function documentOf({ files, ignored = [], ...rest }: Parts): ContextDocument {
	return {
		version: 1,
		context: "/home/me/app",
		dockerfile: "Dockerfile",
		ignoreFile: ".dockerignore",
		totals: {
			files: files.filter(({ type }) => type !== "directory").length,
			bytes: sum(files),
			ignored: {
				files: ignored.reduce((total, path) => total + path.files, 0),
				bytes: sum(ignored),
				directories: [],
			},
			compressed: { bytes: Math.round(sum(files) / 2), sampledBytes: sum(files) },
		},
		files,
		ignored,
		rules: [{ line: 2, text: "node_modules", files: 9, bytes: sum(ignored) }],
		needs: null,
		advice: [],
		secrets: [],
		...rest,
	};
}

export function file(path: string, size: number, neededBy?: readonly number[]): SentPath {
	return { path, type: "file", size, mode: 0o644, ...(neededBy && { neededBy }) };
}

function sum(paths: readonly { readonly size: number }[]): number {
	return paths.reduce((total, { size }) => total + size, 0);
}

const ignored: readonly IgnoredPath[] = [
	{ path: "node_modules", type: "directory", size: 40_000, files: 9, rule: 0 },
];

const secrets: readonly SecretFinding[] = [
	{ path: "src/deploy/key.pem", what: "a private key", line: 1 },
];

/** One of everything: 900 kB of src/, most of it needed, 60 kB of docs/ that nothing takes. */
export const SMALL_DOCUMENT: ContextDocument = documentOf({
	files: [
		file("docs/a.md", 60_000, []),
		file("src/deploy/key.pem", 1_000, [0]),
		file("src/main.c", 800_000, [0]),
		file("src/util.c", 99_000, [0]),
	],
	ignored,
	secrets,
	needs: {
		instructions: [{ line: 3, text: "COPY src /src", files: 3, bytes: 900_000 }],
		unused: { files: 1, bytes: 60_000 },
		doubts: [],
	},
	advice: [
		{
			kind: "unused",
			text: "no instruction takes anything of docs",
			...{ files: 1, bytes: 60_000, paths: ["docs"], lines: ["docs"] },
		},
	],
});
