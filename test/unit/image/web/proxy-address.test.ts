import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DeliveryError } from "../../../../src/errors.js";
import { proxyAddress } from "../../../../src/image/web/proxy-address.js";

suite("the proxy that the environment names", () => {
	const httpsProxy = (value: string) => proxyAddress({ HTTPS_PROXY: value }, "https_proxy");

	test("is a URL, or a host and a port, which make an http proxy", () => {
		assert.equal(httpsProxy("http://me:secret@proxy:3128"), "http://me:secret@proxy:3128/");
		assert.equal(httpsProxy("https://proxy"), "https://proxy/");
		assert.equal(httpsProxy("socks5h://proxy:1080"), "socks5://proxy:1080");
		assert.equal(httpsProxy("proxy:3128"), "http://proxy:3128/");
		assert.equal(httpsProxy("10.0.0.1:3128"), "http://10.0.0.1:3128/");
		assert.equal(httpsProxy("proxy"), "http://proxy/");
	});

	test("is none where the variable is empty or not there", () => {
		assert.equal(httpsProxy(""), "");
		assert.equal(proxyAddress({}, "https_proxy"), "");
	});

	test("is told of where it is none, by the variable that counts, and without a password", () => {
		for (const [name, value] of [
			["HTTPS_PROXY", "http://me:secret@proxy:port"],
			["https_proxy", "ftp://me:secret@proxy:21"],
		] as const) {
			assert.throws(
				() => proxyAddress({ HTTPS_PROXY: "http://other", [name]: value }, "https_proxy"),
				(error) =>
					error instanceof DeliveryError &&
					error.message === `${name} is not the URL of a proxy` &&
					!JSON.stringify(error).includes("secret"),
			);
		}
	});
});
