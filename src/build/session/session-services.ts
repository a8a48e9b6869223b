import { authService } from "../../buildkit/auth.js";
import { secretsService } from "../../buildkit/secrets.js";
import type { SessionService } from "../../buildkit/session-service.js";
import { sshService } from "../../buildkit/ssh-agent/agent-forward.js";
import type { Environment } from "../../environment.js";
import type { CredentialSource } from "../../image/credentials/registry-credentials.js";
import type { BuildPlan } from "../plan/build-plan.js";
import { findLogin, tokensFor } from "./registry-logins.js";

/**
 * What BuildKit may ask of this side whatever way the context goes. Nothing here does anything, or
 * costs a round trip, before it is asked for.
 */
export function sessionServices(
	{ secrets, agents }: BuildPlan,
	credentials: CredentialSource,
	environment: Environment,
): readonly SessionService[] {
	return [
		authService(findLogin(credentials), tokensFor(credentials, environment)),
		...(secrets.ids.length > 0 ? [secretsService(secrets.read)] : []),
		...(agents.size > 0 ? [sshService(agents)] : []),
	];
}
