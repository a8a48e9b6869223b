/*
 * A FIDO security key without hardware and without a touch, for tests: OpenSSH loads it in place of its
 * own (SecurityKeyProvider; sk-api.h, API 10 of OpenSSH 8.9 and later). A key's handle is its private
 * half. What libc and libcrypto have, which OpenSSH itself has loaded, is declared here, so that gcc is all
 * that has to be installed.
 */
#include <stddef.h>
#include <stdint.h>

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
size_t strlen(const char *text);
void *EVP_PKEY_new_raw_private_key(int type, void *engine, const uint8_t *key, size_t length);
int EVP_PKEY_get_raw_public_key(const void *key, uint8_t *public, size_t *length);
void *EVP_MD_CTX_new(void);
int EVP_DigestSignInit(void *context, void **keyContext, void *digest, void *engine, void *key);
int EVP_DigestSign(void *context, uint8_t *signature, size_t *length, const uint8_t *data, size_t size);
uint8_t *SHA256(const uint8_t *data, size_t length, uint8_t *digest);
int RAND_bytes(uint8_t *bytes, int length);

enum { ED25519 = 1, NID_ED25519 = 1087, SEED = 32, PUBLIC = 32, SIGNATURE = 64 };
enum { FAILED = -1, UNSUPPORTED = -2 };

struct sk_enroll_response {
	uint8_t flags;
	uint8_t *public_key;
	size_t public_key_len;
	uint8_t *key_handle;
	size_t key_handle_len;
	uint8_t *signature;
	size_t signature_len;
	uint8_t *attestation_cert;
	size_t attestation_cert_len;
	uint8_t *authdata;
	size_t authdata_len;
};

struct sk_sign_response {
	uint8_t flags;
	uint32_t counter;
	uint8_t *sig_r;
	size_t sig_r_len;
	uint8_t *sig_s;
	size_t sig_s_len;
};

uint32_t sk_api_version(void)
{
	return 0x000a0000;
}

int sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len, const char *application,
	uint8_t flags, const char *pin, void *options, struct sk_enroll_response **response)
{
	(void)challenge, (void)challenge_len, (void)application, (void)pin, (void)options;
	if (alg != ED25519) return UNSUPPORTED;
	struct sk_enroll_response *made = calloc(1, sizeof *made);
	made->flags = flags;
	made->key_handle = malloc(made->key_handle_len = SEED);
	made->public_key = malloc(made->public_key_len = PUBLIC);
	/* Nobody looks into it, but it may not be empty. */
	made->signature = calloc(1, made->signature_len = SIGNATURE);
	if (RAND_bytes(made->key_handle, SEED) != 1) return FAILED;
	void *key = EVP_PKEY_new_raw_private_key(NID_ED25519, NULL, made->key_handle, SEED);
	if (EVP_PKEY_get_raw_public_key(key, made->public_key, &made->public_key_len) != 1) return FAILED;
	*response = made;
	return 0;
}

/* What is signed (PROTOCOL.u2f): SHA-256 of the application, flags, counter, SHA-256 of the data. */
int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len, const char *application,
	const uint8_t *handle, size_t handle_len, uint8_t flags, const char *pin, void *options,
	struct sk_sign_response **response)
{
	(void)pin, (void)options;
	if (alg != ED25519 || handle_len != SEED) return UNSUPPORTED;
	uint8_t text[32 + 1 + 4 + 32] = {0};
	SHA256((const uint8_t *)application, strlen(application), text);
	text[32] = flags;
	text[36] = 1;
	SHA256(data, data_len, text + 37);
	struct sk_sign_response *made = calloc(1, sizeof *made);
	made->flags = flags;
	made->counter = 1;
	made->sig_r = malloc(made->sig_r_len = SIGNATURE);
	void *context = EVP_MD_CTX_new();
	void *key = EVP_PKEY_new_raw_private_key(NID_ED25519, NULL, handle, SEED);
	if (EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1) return FAILED;
	if (EVP_DigestSign(context, made->sig_r, &made->sig_r_len, text, sizeof text) != 1) return FAILED;
	*response = made;
	return 0;
}

int sk_load_resident_keys(const char *pin, void *options, void *keys, size_t *count)
{
	(void)pin, (void)options, (void)keys, (void)count;
	return UNSUPPORTED;
}
