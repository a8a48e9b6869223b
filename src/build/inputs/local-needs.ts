import type { BuildContext } from "../../context/build-context.js";
import type { EngineQuestions } from "../../engine/engine.js";
import type { StoredImage } from "../../engine/images.js";
import { frontendOf } from "../../survey/dockerfile/frontends.js";
import type { PlannedRequest } from "../plan/build-plan.js";
import type { StoredImages } from "./stored-images.js";

/**
 * Whether BuildKit can do a build with what is on its machine. Such a build asks for no credentials, so
 * that its tar needs no session beside it: three round trips with dockerd 28.5. In doubt the answer
 * is no, which costs just those.
 */
export class LocalNeeds {
	readonly #context: BuildContext;
	readonly #request: PlannedRequest;
	readonly #stored: StoredImages;
	#names: Promise<readonly string[] | undefined> | undefined;
	#images: Promise<readonly (StoredImage | undefined)[] | undefined> | undefined;

	constructor(context: BuildContext, request: PlannedRequest, stored: StoredImages) {
		this.#context = context;
		this.#request = request;
		this.#stored = stored;
	}

	/** Reads the Dockerfile, for when the daemon can be asked. */
	read(): void {
		this.#names ??= onlyImages(this.#context, this.#request).catch(() => undefined);
	}

	ask(questions: EngineQuestions): void {
		this.read();
		this.#images = this.#names?.then(async (names) => {
			return names && Promise.all(names.map((name) => this.#stored.find(questions, name)));
		});
	}

	/** @param platform that is built for, an OCI platform */
	async areMet(platform: string): Promise<boolean> {
		const images = await this.#images;
		if (images === undefined) return false;
		return images.every(
			(image) => image?.platform === platform && image.isInGraphDriver && !image.hasTriggers,
		);
	}
}

/**
 * The images that a build starts from, if they are all that it could need from elsewhere: not, for
 * example, another frontend, newer images, or what ADD fetches. Triggers of an image can.
 */
async function onlyImages(
	{ dockerfileContent }: BuildContext,
	{ pull, cacheFrom = [], target, buildArgs }: PlannedRequest,
): Promise<readonly string[] | undefined> {
	if (dockerfileContent === undefined || pull || cacheFrom.length > 0) return undefined;
	const dockerfile = new TextDecoder().decode(dockerfileContent);
	if (frontendOf(dockerfile, buildArgs) !== undefined) return undefined;
	if (FOREIGN.some((pattern) => pattern.test(dockerfile))) return undefined;
	const { namedImages } = await import("../../survey/dockerfile/named-images.js");
	const { images, complete } = namedImages(dockerfile, { target, buildArgs });
	return complete ? images : undefined;
}

/** Wherever they stand: what means nothing in a comment costs no more than the session. */
const FOREIGN = [
	// BuildKit 0.8 sees it below directives that it does not know, too.
	/\bsyntax\b/i,
	/--platform/i,
	/type=["']?(?:secret|ssh)/i,
	/^\s*ADD\s[\s\S]*(?::\/\/|@)/im,
];
