import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/**
 * Imports run one way: a folder may import those that are named here, and what those may. The files at the
 * bottom of src are everybody's, and so are those of a folder to the folders in it. Folders side by side that
 * are not named here may import each other.
 */
const BELOW: Readonly<Record<string, readonly string[]>> = {
	cli: ["doctor", "render"],
	doctor: ["build"],
	build: ["image", "survey", "buildkit"],
	image: ["engine"],
	survey: ["context"],
	buildkit: ["context", "engine"],
	context: ["disk"],
	engine: ["transport"],
	transport: ["target"],
	target: ["disk"],
	render: [],
	disk: [],

	"build/platforms": ["build/transfer", "build/box"],
	"build/transfer": ["build/session"],
	"build/session": ["build/context-index", "build/output"],
	"build/context-index": ["build/inputs"],
	"build/inputs": ["build/plan"],
	"build/box": ["build/plan"],
	"build/plan": [],
	"build/output": [],

	"image/deliveries": ["image/return", "image/registry", "image/archive"],
	"image/return": ["image/reverse"],
	"image/reverse": ["image/cache"],
	"image/registry": ["image/cache", "image/credentials"],
	"image/credentials": ["image/web"],
	"image/web": [],
	"image/archive": ["image/cache"],
	"image/cache": ["image/manifest"],
	"image/manifest": [],
	"image/export": [],

	"survey/format": ["survey/page", "render"],
	"survey/page": [],
	"survey/advice": [],
	"survey/dockerfile": [],
	"survey/secrets": [],

	"buildkit/file-sync": ["buildkit/grpc", "buildkit/proto"],
	"buildkit/ssh-agent": ["buildkit/grpc", "buildkit/proto"],
	"buildkit/grpc": [],
	"buildkit/proto": [],

	"context/thread": ["context/index"],
	"context/index": ["context/entries"],
	"context/entries": ["context/content", "context/ignore"],
	"context/content": ["context/tree"],
	"context/ignore": ["context/tree"],
	"context/tree": [],

	"transport/ssh/login": ["transport/ssh/host-keys", "transport/ssh/compression"],
	"transport/ssh/host-keys": ["transport/ssh/system-ssh"],
	"transport/ssh/system-ssh": ["transport/ssh/identities", "transport/ssh/daemon-route"],
	"transport/ssh/identities": ["transport/ssh/config"],
	"transport/ssh/config": [],
	"transport/ssh/daemon-route": [],
	"transport/ssh/compression": [],
};

const src = fileURLToPath(new URL("../../../src", import.meta.url));

test("imports run one way", () => {
	const wrong = sourceFiles().flatMap((file) =>
		importsOf(file)
			.filter((imported) => !mayImport(posix.dirname(file), posix.dirname(imported)))
			.map((imported) => `${file} must not import ${imported}`),
	);
	assert.deepEqual(wrong, []);
});

test("each folder of src has its place among those that import each other", () => {
	const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
	assert.deepEqual(
		folders.map(({ name }) => name).filter((name) => !(name in BELOW)),
		[],
	);
	for (const folder of Object.keys(BELOW)) {
		assert.ok(readdirSync(join(src, folder)).length > 0);
		assert.ok(!BELOW[folder]?.some((below) => reaches(below, folder)), `a circle of ${folder}`);
	}
});

function sourceFiles(): string[] {
	return readdirSync(src, { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".ts"))
		.map((file) => file.replaceAll("\\", "/"));
}

/** The files of src that a file imports, types included. */
function importsOf(file: string): string[] {
	const text = readFileSync(join(src, file), "utf8");
	const names = text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"(\.[^"]+)"/g);
	return [...names].map(([, name = ""]) => posix.join(posix.dirname(file), name));
}

function mayImport(from: string, to: string): boolean {
	if (isWithin(from, to) || isWithin(to, from)) return true;
	const froms = foldersAround(from).filter((folder) => !isWithin(to, folder));
	const tos = foldersAround(to).filter((folder) => !isWithin(from, folder));
	const isFree = froms.every((folder) => !(folder in BELOW));
	return isFree || froms.some((above) => tos.some((below) => reaches(above, below)));
}

function reaches(above: string, below: string): boolean {
	return above === below || (BELOW[above] ?? []).some((next) => reaches(next, below));
}

/** Such as image and image/web, for a file in there. */
function foldersAround(folder: string): string[] {
	const parts = folder.split("/");
	return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function isWithin(folder: string, other: string): boolean {
	return other === "." || folder === other || folder.startsWith(`${other}/`);
}
