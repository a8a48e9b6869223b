import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "node:test";
import { startBox } from "../support/box.js";
import { lab, labBox } from "../support/lab.js";
import { whyNoRegistry } from "../support/registry.js";
import { suiteWithDockerd } from "../support/requirement.js";
import { testPrivateImages } from "./private-images.js";

/** IPv4 addresses of this machine that are not its loopback. */
const addresses = Object.entries(networkInterfaces()).flatMap(([name, all = []]) =>
	all
		.filter(({ family, internal }) => family === "IPv4" && !internal)
		.map(({ address }) => ({ name, address })),
);

const [first] = addresses;
const whyNot = first === undefined ? "this machine has only its loopback" : whyNoRegistry();
suiteWithDockerd("private base images on docker 20.10", () => {
	suite("of registries on this machine", { skip: whyNot ?? false }, () => {
		if (first === undefined) return;
		testPrivateImages({
			address: first.address,
			// BuildKit of 20.10 does not see a host with a port as insecure unless it looks like a URL.
			open: (hosts) => startBox({ insecureRegistries: hosts.map((host) => `https://${host}`) }),
			trust: () => ({ async [Symbol.asyncDispose]() {} }),
		});
	});
});

const here = lab();
const shared = addresses.find(({ name }) => name.startsWith("lab"));
const skip =
	here && shared && whyNoRegistry() === undefined ? false : "there is no lab or registry";
suite("private base images on docker 28.5", { skip }, () => {
	if (here === undefined || shared === undefined) return;
	testPrivateImages({
		address: shared.address,
		open: () => labBox(here.host, here.localDockerSocket, here.sshConfigFile),
		trust(registryHost, certificateFile) {
			// The daemon looks there each time.
			const root = dirname(dirname(here.localDockerSocket));
			const folder = join(root, "etc/docker/certs.d", registryHost);
			mkdirSync(folder, { recursive: true });
			copyFileSync(certificateFile, join(folder, "ca.crt"));
			return {
				async [Symbol.asyncDispose]() {
					rmSync(folder, { recursive: true });
				},
			};
		},
	});
});
