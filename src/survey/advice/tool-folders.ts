/** A folder that a tool fills, and that it or the build makes anew. */
export interface ToolFolder {
	readonly kind: "dependencies" | "build-output" | "tool-cache";
	/** For people: what is in it. */
	readonly what: string;
	/** What it is called; absent: anything. */
	readonly name?: RegExp;
	/** A file in the folder that it is in. */
	readonly beside?: RegExp;
	/** Something in it. */
	readonly inside?: RegExp;
	/**
	 * The step by which an image gets its own; absent where no image has a use for it. Without such a step,
	 * a `COPY . .` may be what brings it there.
	 */
	readonly remadeBy?: RegExp;
}

const NODE = /\b(?:npm|npx|yarn|pnpm|bun|corepack)\b/;
const NODE_BUILD = /\b(?:npm|npx|yarn|pnpm|bun|turbo|nx)\b.*\bbuild\b/;
const PACKAGE = /^package\.json$/;
const GRADLE = /^(?:build|settings)\.gradle(?:\.kts)?$/;
const DOTNET = /\.(?:cs|fs|vb)proj$/;
const PYTHON = /^(?:setup\.py|setup\.cfg|pyproject\.toml)$/;

/** The first that fits counts. */
export const TOOL_FOLDERS: readonly ToolFolder[] = [
	{
		kind: "dependencies",
		what: "packages that npm, yarn or pnpm installs",
		name: /^node_modules$/,
		beside: PACKAGE,
		remadeBy: NODE,
	},
	{
		kind: "dependencies",
		what: "packages that bower installs",
		name: /^bower_components$/,
		beside: /^bower\.json$/,
		remadeBy: /\bbower\b/,
	},
	{
		kind: "dependencies",
		what: "packages that composer installs",
		name: /^vendor$/,
		beside: /^composer\.json$/,
		inside: /^autoload\.php$/,
		remadeBy: /\bcomposer\b/,
	},
	{
		kind: "dependencies",
		what: "gems that bundler installs",
		// Of vendor/bundle; what else is in vendor is the project's own.
		name: /^bundle$/,
		inside: /^j?ruby$/,
		remadeBy: /\bbundle\b/,
	},
	{
		kind: "dependencies",
		what: "pods that CocoaPods installs",
		name: /^Pods$/,
		beside: /^Podfile$/,
		inside: /^Manifest\.lock$/,
	},
	{
		kind: "dependencies",
		what: "packages that mix installs",
		name: /^deps$/,
		beside: /^mix\.exs$/,
		remadeBy: /\bmix\b/,
	},
	{
		kind: "tool-cache",
		what: "a virtual environment of Python, which works in its own place only",
		inside: /^pyvenv\.cfg$/,
	},
	{
		kind: "build-output",
		what: "what cargo builds",
		name: /^target$/,
		beside: /^Cargo\.toml$/,
		inside: /^(?:CACHEDIR\.TAG|\.rustc_info\.json|debug|release)$/,
		remadeBy: /\bcargo\b/,
	},
	{
		kind: "build-output",
		what: "what Maven builds",
		name: /^target$/,
		beside: /^pom\.xml$/,
		inside: /^(?:classes|maven-status|maven-archiver|.*\.[jw]ar)$/,
		remadeBy: /\bmvnw?\b/,
	},
	{
		kind: "build-output",
		what: "what sbt builds",
		name: /^target$/,
		beside: /^(?:build\.sbt|build\.properties)$/,
		remadeBy: /\bsbt\b/,
	},
	{
		kind: "build-output",
		what: "what Gradle builds",
		name: /^build$/,
		beside: GRADLE,
		inside: /^(?:classes|libs|tmp|kotlin|reports|distributions)$/,
		remadeBy: /\bgradlew?\b/,
	},
	{ kind: "tool-cache", what: "Gradle's cache", name: /^\.gradle$/, beside: GRADLE },
	{
		kind: "build-output",
		what: "what dotnet builds",
		name: /^bin$/,
		beside: DOTNET,
		inside: /^(?:Debug|Release)$/,
		remadeBy: /\bdotnet\s+(?:build|publish|pack|msbuild)\b/,
	},
	{
		kind: "build-output",
		what: "what dotnet builds on the way",
		name: /^obj$/,
		beside: DOTNET,
		inside: /^(?:project\.assets\.json|Debug|Release)$/,
		remadeBy: /\bdotnet\s+(?:build|publish|pack|restore|msbuild)\b/,
	},
	{
		kind: "build-output",
		what: "what Next.js builds",
		name: /^\.next$/,
		beside: PACKAGE,
		remadeBy: NODE_BUILD,
	},
	{
		kind: "build-output",
		what: "what the framework builds",
		name: /^\.(?:nuxt|output|svelte-kit|angular)$/,
		beside: PACKAGE,
		remadeBy: NODE_BUILD,
	},
	{
		kind: "build-output",
		what: "what the package's build script makes",
		name: /^dist$/,
		beside: PACKAGE,
		remadeBy: NODE_BUILD,
	},
	{
		kind: "build-output",
		what: "packages that Python's build made",
		name: /^dist$/,
		beside: PYTHON,
		inside: /\.(?:whl|tar\.gz)$/,
	},
	{
		kind: "build-output",
		what: "what CMake builds, for this machine",
		inside: /^CMakeCache\.txt$/,
		remadeBy: /\bcmake\b/,
	},
	{
		kind: "build-output",
		what: "what Swift builds",
		name: /^\.build$/,
		beside: /^Package\.swift$/,
		remadeBy: /\bswift\b/,
	},
	{
		kind: "build-output",
		what: "what mix builds",
		name: /^_build$/,
		beside: /^mix\.exs$/,
		remadeBy: /\bmix\b/,
	},
	{
		kind: "build-output",
		what: "what Haskell's tools build",
		name: /^(?:dist-newstyle|\.stack-work)$/,
		beside: /\.cabal$|^(?:stack\.yaml|cabal\.project)$/,
	},
	{
		kind: "tool-cache",
		what: "Terraform's providers and modules",
		name: /^\.terraform$/,
		beside: /\.tf$|^\.terraform\.lock\.hcl$/,
		remadeBy: /\b(?:terraform|tofu)\b.*\binit\b/,
	},
	{
		kind: "tool-cache",
		what: "bytecode that Python makes anew",
		name: /^__pycache__$/,
		inside: /\.pyc$/,
	},
	{
		kind: "tool-cache",
		what: "a tool's cache",
		name: /^\.(?:mypy_cache|pytest_cache|ruff_cache|tox|nox|hypothesis|ipynb_checkpoints)$/,
	},
	{
		kind: "tool-cache",
		what: "a tool's cache",
		name: /^\.(?:turbo|parcel-cache|nyc_output|dart_tool|eslintcache)$/,
		beside: /^(?:package\.json|pubspec\.yaml)$/,
	},
	{ kind: "tool-cache", what: "a cache, as its CACHEDIR.TAG says", inside: /^CACHEDIR\.TAG$/ },
];
