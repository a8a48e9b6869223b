import { Health } from "./proto/gen/health_pb.js";
import { type SessionService, unary } from "./session-service.js";

/** HealthCheckResponse.ServingStatus of the gRPC health checking protocol. */
const SERVING = 1;

/**
 * The daemon asks again and again (20.10 every second, 28.5 every five) and ends a session that does
 * not answer in 10 to 30 seconds, or that does not know the method.
 */
export function healthService(): SessionService {
	return { methods: [unary(Health.method.check, () => ({ status: SERVING }))] };
}
