import type { Instruction } from "./instructions.js";
import { expandWord, UnresolvableError, type Variables } from "./shell-words.js";
import { DockerfileSyntaxError } from "./syntax-error.js";

/** What a variable holds: an error where that is known to nobody here. */
export type Value = string | UnresolvableError;

/** The kind of builder whose rules apply; "classic" is Docker's old one, and Podman. */
export type BuilderKind = "buildkit" | "classic";

/** The variables that the words of a stage may name, by ENV and ARG as far as it has come. */
export class Scope {
	readonly #kind: BuilderKind;
	readonly #environment: Map<string, Value>;
	readonly #arguments = new Map<string, Value>();
	/** The last of the two kinds that was set, which is what counts in BuildKit. */
	readonly #latest: Map<string, Value>;
	/** Why there may be more in the environment. */
	readonly #unknown: UnresolvableError | undefined;

	private constructor(
		kind: BuilderKind,
		environment: Map<string, Value>,
		latest: Map<string, Value>,
		unknown: UnresolvableError | undefined,
	) {
		this.#kind = kind;
		this.#environment = environment;
		this.#latest = latest;
		this.#unknown = unknown;
	}

	/** @param image its environment as "NAME=VALUE", or why that is not known */
	static ofImage(kind: BuilderKind, image: readonly string[] | UnresolvableError): Scope {
		const isKnown = !(image instanceof UnresolvableError);
		const environment = new Map<string, Value>([["PATH", new UnresolvableError("$PATH")]]);
		for (const variable of isKnown ? image : []) {
			const equals = variable.indexOf("=");
			if (equals > 0) environment.set(variable.slice(0, equals), variable.slice(equals + 1));
		}
		return new Scope(kind, environment, new Map(environment), isKnown ? undefined : image);
	}

	/** That of FROM, which knows the arguments before the first one. */
	static ofArguments(values: ReadonlyMap<string, Value>): Scope {
		const scope = Scope.ofImage("buildkit", []);
		for (const [name, value] of values) scope.setArgument(name, value);
		return scope;
	}

	/** That of a stage which is built from one with this scope. Only BuildKit hands its arguments down. */
	inherit(): Scope {
		const latest = this.#kind === "buildkit" ? this.#latest : this.#environment;
		return new Scope(this.#kind, new Map(this.#environment), new Map(latest), this.#unknown);
	}

	setEnvironment(name: string, value: Value): void {
		this.#environment.set(name, value);
		this.#latest.set(name, value);
	}

	setArgument(name: string, value: Value): void {
		this.#arguments.set(name, value);
		this.#latest.set(name, value);
	}

	/** @throws UnresolvableError */
	get(name: string): string | undefined {
		const value = this.#latest.get(name);
		if (value instanceof UnresolvableError) throw value;
		// Other builders have the environment win, which may be the base image's.
		const ofEnvironment = this.#environment.get(name) ?? this.#unknown;
		const isContested =
			this.#kind === "classic" && this.#arguments.has(name) && ofEnvironment !== undefined;
		if (isContested && ofEnvironment !== this.#arguments.get(name)) {
			throw ofEnvironment === this.#unknown
				? ofEnvironment
				: new UnresolvableError(`$${name} is both ARG and ENV`);
		}
		if (value === undefined && this.#unknown !== undefined) throw this.#unknown;
		return value;
	}
}

/**
 * What words find of a scope.
 *
 * @param given the build arguments
 */
export function variablesOf(
	scope: Scope,
	kind: BuilderKind,
	given: ReadonlyMap<string, string>,
): Variables {
	return (name) => {
		const value = scope.get(name);
		// The classic builder lets some through that no ARG declares, such as HTTP_PROXY.
		if (value === undefined && kind === "classic" && given.has(name)) {
			throw new UnresolvableError(`there is no ARG ${name}`);
		}
		return value;
	};
}

/**
 * What a word of an instruction comes to.
 *
 * @throws DockerfileSyntaxError
 */
export function wordValue(
	word: string,
	{ line, column }: Instruction,
	escapeMark: string,
	variables: Variables,
): Value {
	try {
		return expandWord(word, escapeMark, variables);
	} catch (error) {
		if (error instanceof UnresolvableError) return error;
		if (!(error instanceof SyntaxError)) throw error;
		throw new DockerfileSyntaxError(line, column, `${word}: ${error.message}`);
	}
}
