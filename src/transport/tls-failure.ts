import type { DetailedPeerCertificate } from "node:tls";
import { ConnectionError, type ConnectionFailure } from "../errors.js";
import { comparableName } from "../printable.js";
import { type CertificateFault, certificateFault } from "./certificate-fault.js";
import type { TlsMaterial } from "./tls-material.js";

type TlsError = Error & {
	readonly code?: string;
	/** With ERR_TLS_CERT_ALTNAME_INVALID. */
	readonly cert?: DetailedPeerCertificate;
};

type Reason = readonly [failure: ConnectionFailure, reason: string, hint: string];

/** What is no matter of a certificate. */
const BY_CODE: Readonly<Record<string, Reason>> = {
	ERR_SSL_WRONG_VERSION_NUMBER: [
		"protocol",
		"it does not speak TLS",
		"does the daemon listen there without TLS, or something else?",
	],
	ERR_SSL_UNSUPPORTED_PROTOCOL: [
		"protocol",
		"it does not support TLS 1.2 or later",
		"upgrade Docker on that machine",
	],
};

/**
 * Why TLS did not come about, or was ended, in rbuild's words.
 *
 * @param place for the message, such as "tcp://10.0.0.5:2376"
 * @returns undefined for what has nothing to do with TLS
 */
export function tlsFailure(
	error: TlsError,
	place: string,
	host: string,
	material: TlsMaterial,
): ConnectionError | undefined {
	const [failure, reason, hint] = reasonOf(error, host, material) ?? [];
	if (failure === undefined) return undefined;
	return new ConnectionError(failure, `cannot reach ${place}: ${reason}`, { hint, cause: error });
}

function reasonOf(error: TlsError, host: string, material: TlsMaterial): Reason | undefined {
	const { code = "" } = error;
	const fault = certificateFault(code);
	if (fault !== undefined) return ["certificate", ...reasonOfFault(fault, error, host)];
	if (BY_CODE[code] !== undefined) return BY_CODE[code];
	// What the other side says of ours (RFC 8446, section 6.2): Go says bad_certificate of all that it does
	// not like, older ones also where there is none.
	if (/_ALERT_/.test(code)) return refused(code, material);
	if (/^ERR_SSL_|^ERR_TLS_/.test(code)) {
		return [
			"protocol",
			`the TLS handshake failed (${code})`,
			"does the daemon use TLS on that port?",
		];
	}
	return undefined;
}

function reasonOfFault(
	fault: CertificateFault,
	{ cert }: TlsError,
	host: string,
): readonly [reason: string, hint: string] {
	switch (fault) {
		case "untrusted":
			return [
				"its certificate is signed by an unknown authority",
				"name the CA that signed it, with --tlscacert or in the docker context; if you did, somebody may be in between",
			];
		case "other-name": {
			const names = cert?.subjectaltname ?? String(cert?.subject?.CN ?? "nothing");
			return [
				`its certificate is for ${comparableName(names).slice(0, 200)}, not for ${host}`,
				"use a name that is in the certificate, or reissue it for this one",
			];
		}
		case "expired":
			return [
				"its certificate, or the CA's, has expired",
				"renew it on that machine; if it is new, check whether this machine's clock is right",
			];
		case "not-yet-valid":
			return [
				"its certificate is not valid yet",
				"is the clock of this machine, or of the one that made the certificate, right?",
			];
		case "not-for-servers":
			return [
				"its certificate is not one for servers",
				"reissue it with extendedKeyUsage=serverAuth",
			];
	}
}

function refused(code: string, { identity }: TlsMaterial): Reason {
	// OpenSSL's servers say handshake_failure in TLS 1.2 where there is none.
	const isMissing = identity === undefined && /HANDSHAKE_FAILURE/.test(code);
	if (!isMissing && !/CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR/.test(code)) {
		return ["protocol", `it refused the TLS handshake (${code})`, "look at the daemon's log"];
	}
	if (identity === undefined) {
		return [
			"not-authenticated",
			"it requires a client certificate",
			"give one with --tlscert and --tlskey, in DOCKER_CERT_PATH, or in the docker context",
		];
	}
	const { expires, file } = identity;
	if (expires.getTime() < Date.now()) {
		return [
			"not-authenticated",
			`it refuses the client certificate ${file}, which expired on ${expires.toISOString().slice(0, 10)}`,
			"renew it",
		];
	}
	return [
		"not-authenticated",
		`it refuses the client certificate ${file}`,
		"it has to be signed by the CA that the daemon was given, with extendedKeyUsage=clientAuth",
	];
}
