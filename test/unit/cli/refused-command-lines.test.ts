import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EXIT_CODES } from "../../../src/errors.js";
import { rbuildHere } from "../../support/called-program.js";
import { rbuild } from "../../support/cli.js";

/** What is wrong, the command line, and what it has for an answer: an error, and a hint where one helps. */
const REFUSED: [string, string[], RegExp, RegExp?][] = [
	["no context", ["-t", "app"], /^error: no build context was given$/, /rbuild \. -t app/],
	["an unknown flag", [".", "--tagg", "x"], /^error: unknown flag --tagg$/, /did you mean --tag\?/],
	[
		"a flag of another command",
		["context", "--push"],
		/: unknown flag --push$/,
		/rbuild context -/,
	],
	[
		"an unknown way to push",
		[".", "-t", "r.example/app", "--push", "--via", "pigeon"],
		/^error: --via "pigeon" is not supported$/,
		/^hint: use daemon or client$/,
	],
	[
		"a way to push without a push",
		[".", "-t", "r.example/app", "--via", "client"],
		/^error: --via client needs --push$/,
		/add --push, or leave --via out/,
	],
	[
		"an unknown transfer",
		[".", "--transfer", "rsync"],
		/^error: --transfer "rsync" is not supported$/,
		/^hint: did you mean sync\?$/,
	],
	["a bad tag", [".", "-t", "App:x"], /^error: invalid tag "App:x"/, /app:x/],
	["a flag without its value", [".", "-t"], /^error: --tag needs a value$/, /name\[:tag\]; see rb/],
	[
		"a choice that is not made",
		["images", "--format"],
		/^error: --format needs a/,
		/use table or json$/,
	],
	[
		"a choice that is none",
		["images", "--format", "xml"],
		/: --format "xml" is not supported$/,
		/use table or json$/,
	],
	[
		"a switch with a value",
		[".", "--push=yes"],
		/: --push "yes" is neither true nor false/,
		/=false/,
	],
	[
		"a command of docker's, and what it is for",
		["run", "app"],
		/^error: "run" is neither a directory nor a command$/,
		/^hint: see rbuild --help$/,
	],
	["two contexts", [".", "other"], /^error: unexpected argument "other"$/, /there is one/],
	[
		"two contexts of a build",
		["build", ".", "other"],
		/unexpected argument "other"$/,
		/there is one/,
	],
	[
		"a misspelt command",
		["buidl", "."],
		/: "buidl" is neither a directory nor a/,
		/rbuild build\?$/,
	],
	[
		"a path asked about after the directory",
		["context", "app", "why", "x"],
		/takes one directory, and got another: "why"$/,
		/: rbuild context why PATH\?$/,
	],
	[
		"help of no command",
		["run", "--help"],
		/: "run" is neither a directory nor/,
		/see rbuild --help$/,
	],
	[
		"a flag as a command",
		["push", "--help"],
		/: "push" is neither/,
		/a flag .*: rbuild \. --push$/,
	],
	[
		"help for no command",
		["help", "buidl"],
		/^error: unknown command "buidl" for "rbuild"$/,
		/did you mean: rbuild build\?$/,
	],
	["a misspelt flag alone", ["--versio"], /^error: unknown flag --versio$/, /mean --version\?$/],
	["an unknown letter", [".", "-qx"], /^error: unknown flag -x$/, /see rbuild build --help$/],
	["what another program takes for its version", ["-v"], /no build context/, /rbuild --version$/],
	["no image to pull", ["pull"], /^error: no image was given$/, /rbuild pull app/],
	["a dash for an image", ["pull", "-"], /^error: invalid image reference "-"/],
	[
		"a dash for what to do about boxes",
		["hosts", "-"],
		/^error: unknown command "-" for "rbuild h/,
	],
	["two images to pull", ["pull", "a", "b"], /takes one image, and got another: "b"$/],
	[
		"nothing to do with the cache",
		["cache"],
		/^error: rbuild cache needs a command$/,
		/use ls, prune or verify$/,
	],
	[
		"something else for the cache",
		["cache", "lss"],
		/^error: unknown command "lss" for "rbuild cache"$/,
		/mean: rbuild cache ls\?$/,
	],
	[
		"too much for the cache",
		["cache", "ls", "x"],
		/: rbuild cache ls takes no argument, and got "x"$/,
	],
	[
		"a box without its flag",
		["doctor", "box"],
		/doctor takes no argument, .*"box"$/,
		/doctor --on box$/,
	],
	["a box for images", ["images", "box"], /images takes no argument, .*"box"$/, /images --on box$/],
	[
		"two folders to look into",
		["context", ".", "b"],
		/takes one dir.*"b"$/,
		/rbuild context why b$/,
	],
	[
		"a misspelt why",
		["context", "wy", "b"],
		/takes one directory/,
		/mean: rbuild context why PATH\?$/,
	],
	["no path to explain", ["context", "why"], /^error: no path was given$/, /why src\/main\.ts$/],
	[
		"a flag that why has not",
		["context", "why", "x", "--fix"],
		/flag --fix$/,
		/rbuild context why --h/,
	],
	[
		"a version of something",
		["version", "x"],
		/^error: rbuild version takes no argument, and got "x"$/,
	],
	["an empty context", [""], /^error: the build context argument is empty$/],
	[
		"a secret that is nowhere",
		[".", "--secret", "id=no-such-secret"],
		/^error: secret "no-such-secret": there is neither a variable nor a file of that name$/,
		/--secret id=no-such-secret,src=FILE/,
	],
	[
		"a secret without an id",
		[".", "--secret", "src=x"],
		/^error: --secret has no id$/,
		/--secret id=NAME/,
	],
	[
		"a key that is none",
		[".", "--ssh", `default=${fileURLToPath(import.meta.url)}`],
		/^error: --ssh default: cannot use .*refused-command-lines\.test\.js: /,
		/ssh-keygen/,
	],
	["an empty value", [".", "--save", ""], /^error: --save has an empty value$/],
	[
		"an empty value for doctor",
		["doctor", "--on", ""],
		/--on has an empty value$/,
		/^hint: is a variable not set\? Leave/,
	],
	[
		"an empty value for a pull",
		["pull", "x", "--save="],
		/--save has an empty value$/,
		/not set\?/,
	],
	[
		"a limit of no such name",
		[".", "--ulimit", "nofil=1"],
		/^error: --ulimit "nofil" is not supported$/,
	],
	["limits the wrong way round", [".", "--ulimit", "nofile=2:1"], /^error: --ulimit "nofile=2:1"/],
	[
		"an address that is none",
		[".", "--add-host", "a:1.2.3.999"],
		/^error: --add-host "a:1\.2\.3\.999"/,
	],
	[
		"standard input to look into",
		["context", "-"],
		/^error: rbuild context needs a directory, not -$/,
	],
	[
		"a URL to look into",
		["context", "https://host/x.git"],
		/^error: rbuild context needs a directory, not a URL$/,
	],
	[
		"an unknown progress mode",
		[".", "--progress", "fancy"],
		/^error: --progress "fancy" is not supported$/,
		/^hint: use auto, tty, plain, json, quiet or none$/,
	],
	[
		"buildx's events",
		[".", "--progress", "rawjson"],
		/: --progress "rawjson" is not supported$/,
		/--progress json$/,
	],
	[
		"a progress mode that is misspelt",
		[".", "--progress=plian"],
		/^error: --progress "plian" is not supported$/,
		/^hint: did you mean plain\?$/,
	],
	[
		"a secret for the check of secrets",
		[".", "--secrets", "id=npm"],
		/^error: --secrets "id=npm" is not supported$/,
		/with --secret$/,
	],
	[
		"an unknown ssh client",
		["doctor", "--ssh-client", "putty"],
		/^error: --ssh-client "putty" is not supported$/,
		/^hint: use auto, builtin or system$/,
	],
	[
		"an unknown call",
		[".", "--call", "outlin"],
		/^error: --call "outlin" is not supported$/,
		/^hint: did you mean outline\?$/,
	],
	[
		"an unknown output",
		[".", "-o", "type=zip"],
		/^error: --output type=zip is not supported$/,
		/^hint: use local, tar, oci, docker, image, registry or cacheonly$/,
	],
	[
		"an unknown entitlement",
		[".", "--allow", "network"],
		/^error: --allow "network" is not supported$/,
		/^hint: use network\.host, security\.insecure or device$/,
	],
	[
		"an unknown attestation",
		[".", "--attest", "type=signature"],
		/^error: --attest type=signature is not supported$/,
		/^hint: use provenance or sbom$/,
	],
	[
		"a builder",
		[".", "--builder", "x"],
		/^error: --builder is not supported: rbuild has no builders$/,
		/--on BOX/,
	],
	[
		"a flag that needs a value",
		[".", "--no-cache-filter", ""],
		/--no-cache-filter has an empty value/,
	],
	["a time that is none", [".", "--build-arg", "SOURCE_DATE_EPOCH=x"], /EPOCH "x" is not a time$/],
	["a size that is none", [".", "--shm-size", "big"], /^error: --shm-size "big" is not a size$/],
	["a target that is none", [".", "--on", "http://box"], /^error: --on: /],
	["a push without a name", [".", "--push"], /^error: --push needs an image name$/],
	[
		"the image and its id on one stream",
		[".", "--save", "-", "-q"],
		/^error: --save - and -q both/,
	],
	[
		"a check with files",
		[".", "--check", "-o", "out"],
		/^error: --check and --call build nothing to /,
	],
	[
		"a check with an id",
		[".", "--check", "--iidfile", "id"],
		/^error: --iidfile cannot be used with --check or --call, /,
	],
	[
		"a layout without a name",
		[".", "--save", "type=oci,dest=layout"],
		/^error: --save type=oci needs a name for the image$/,
		/give it with -t/,
	],
	["one place twice", [".", "-o", "out", "-o", "./out"], /^error: two outputs cannot both go to/],
	[
		"one file twice",
		[".", "--save", "a.tar", "--save", "a.tar"],
		/^error: two outputs cannot both/,
	],
	[
		"two images on one stream",
		["pull", "app", "--save", "-", "--save", "type=oci,dest=-"],
		/^error: two outputs cannot share the standard output$/,
		/file name/,
	],
];

suite("bad input: the command line", () => {
	let directory: string;
	before(() => {
		directory = mkdtempSync(join(tmpdir(), "rbuild-usage-"));
	});
	after(() => rmSync(directory, { recursive: true }));

	for (const [what, args, error, hint] of REFUSED) {
		test(`${what} is refused with exit code 2`, async () => {
			const { code, stdout, stderr } = await rbuildHere(args, { cwd: directory });
			const [first = "", second, ...more] = stderr.trimEnd().split("\n");
			assert.match(first, error);
			if (hint !== undefined) assert.match(second ?? "no hint", hint);
			assert.match(second ?? "hint: ", /^hint: /);
			assert.deepEqual(more, []);
			assert.equal(stdout, "");
			assert.equal(code, EXIT_CODES.usage);
		});
	}

	test("what is refused ends the process with that code, and nothing on standard output", async () => {
		const { code, stdout, stderr } = await rbuild([".", "--tagg", "x"], { cwd: directory });
		assert.deepEqual([code, stdout], [2, ""]);
		assert.equal(stderr, "error: unknown flag --tagg\nhint: did you mean --tag?\n");
	});
});
