import { isLoopbackHost } from "../../target/loopback.js";
import { DOCKER_HUB } from "../reference.js";

/** Where the Docker Hub's images are, and the name by which BuildKit asks for its credentials. */
const HUB_SERVER = "registry-1.docker.io";

/** The host that answers for a registry, with its port if it has one in an image's name. */
export function registryServer(domain: string): string {
	return domain === DOCKER_HUB ? HUB_SERVER : domain;
}

/** The one whose images a host has, by the name that they have for it. */
export function registryAt(host: string): string {
	return host === HUB_SERVER ? DOCKER_HUB : host;
}

/** Whether a host, with or without a port, is the machine on which it is asked for. */
export function isLoopback(host: string): boolean {
	const [, address, name] = /^(?:\[(.*)\]|([^:]*))(?::\d+)?$/.exec(host) ?? [];
	return isLoopbackHost(address ?? name ?? "");
}
