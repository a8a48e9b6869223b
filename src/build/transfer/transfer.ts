import type { SessionService } from "../../buildkit/session-service.js";
import type { BuildContext } from "../../context/build-context.js";
import type { Engine } from "../../engine/engine.js";
import type { Environment } from "../../environment.js";
import type { Run, UploadReport } from "../../events.js";
import type { CredentialSource } from "../../image/credentials/registry-credentials.js";
import type { BuiltImage } from "../../image/delivery.js";
import type { IndexQuestions } from "../context-index/index-questions.js";
import type { LocalNeeds } from "../inputs/local-needs.js";
import type { NamedDirectories } from "../inputs/named-directories.js";
import type { StoredImages } from "../inputs/stored-images.js";
import type { BuildPlan } from "../plan/build-plan.js";

/** What transfers need beside the build itself. */
export interface TransferResources {
	readonly environment: Environment;
	readonly credentials: CredentialSource;
	readonly needs: LocalNeeds;
	readonly images: StoredImages;
	readonly named: NamedDirectories;
	/** Of none where a sync does without. */
	readonly indexes: IndexQuestions;
	/** What a session with BuildKit has to serve beside the context. */
	readonly services: readonly SessionService[];
}

/** A way to get a build context to a daemon and an image out of it. */
export interface Transfer {
	readonly name: "tar" | "sync";
	/**
	 * @throws BuildFailedError, ContextError, EngineError, ConnectionError, InterruptedError
	 */
	send(engine: Engine, context: BuildContext, plan: BuildPlan, run: Run): Promise<SentBuild>;
}

export interface SentBuild {
	/** Absent where something else was asked for. */
	readonly image: BuiltImage | undefined;
	/** Milliseconds from the first byte of the context to the last; 0 when nothing was sent. */
	readonly uploadMs: number;
	/** Absent where the daemon fetches all by itself. */
	readonly upload: UploadReport | undefined;
	/** Removes what is not needed on the box any more, to be called when no build goes on there. Never rejects. */
	readonly tidy?: () => Promise<void>;
}
