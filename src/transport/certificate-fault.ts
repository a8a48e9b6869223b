/** What is wrong with the other side's certificate, of what people meet. */
export type CertificateFault =
	| "untrusted"
	| "other-name"
	| "expired"
	| "not-yet-valid"
	| "not-for-servers";

/** By the names that node has for OpenSSL's many (x509_txt.c, node's crypto_common.cc), and one of its own. */
const BY_CODE: ReadonlyMap<string, CertificateFault> = new Map([
	["SELF_SIGNED_CERT_IN_CHAIN", "untrusted"],
	["DEPTH_ZERO_SELF_SIGNED_CERT", "untrusted"],
	["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "untrusted"],
	["UNABLE_TO_GET_ISSUER_CERT", "untrusted"],
	["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "untrusted"],
	["CERT_SIGNATURE_FAILURE", "untrusted"],
	["CERT_UNTRUSTED", "untrusted"],
	["ERR_TLS_CERT_ALTNAME_INVALID", "other-name"],
	["CERT_HAS_EXPIRED", "expired"],
	["CERT_NOT_YET_VALID", "not-yet-valid"],
	["INVALID_PURPOSE", "not-for-servers"],
]);

/** @param code of the error that ended the handshake */
export function certificateFault(code: string): CertificateFault | undefined {
	return BY_CODE.get(code);
}
