using Ballast.Protocols.Conversation;

namespace Ballast.Exchanges;

/// <summary>Whose fault an error is.</summary>
public enum ErrorSide
{
    Client,
    Gateway,
    Upstream,
}

/// <summary>
/// The closed list of Ballast's own errors. What a client may see: code, message, hint and id. Never an address, a credential or an exception's text.
/// </summary>
/// <param name="Code">Stable word for programs; the ledger's <c>reason</c> for failed attempts.</param>
/// <param name="Side">Whose fault it is.</param>
/// <param name="Kind">How each protocol reports it.</param>
/// <param name="IsRetryable">Another deployment may be tried.</param>
/// <param name="Message">One sentence for people.</param>
/// <param name="Hint">What to do about it.</param>
public sealed record GatewayError(
    string Code, ErrorSide Side, ChatErrorKind Kind, bool IsRetryable, string Message, string Hint)
{
    public static readonly GatewayError MissingKey = new("ballast_missing_key", ErrorSide.Client, ChatErrorKind.Authentication, false,
        "No API key was sent.", "Send it as 'Authorization: Bearer …' or as 'x-api-key'.");
    public static readonly GatewayError InvalidKey = new("ballast_invalid_key", ErrorSide.Client, ChatErrorKind.Authentication, false,
        "The API key is not known here.", "Use a key of this gateway, not one of a vendor.");
    public static readonly GatewayError AmbiguousKey = new("ballast_ambiguous_key", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "Two different API keys were sent.", "Send one key, in one header.");
    public static readonly GatewayError KeysThrottled = new("ballast_keys_throttled", ErrorSide.Client, ChatErrorKind.RateLimited, false,
        "Too many wrong API keys came from this address.", "Wait as long as Retry-After says; the limit is limits.failed_keys_per_minute.");
    public static readonly GatewayError KeysUnavailable = new("ballast_keys_unavailable", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "The gateway has not been able to look at its API keys for too long.", "Quote the request id to whoever runs it: the log has the cause.");
    public static readonly GatewayError ScopeMissing = new("ballast_scope_missing", ErrorSide.Client, ChatErrorKind.Permission, false,
        "This API key may not be used for that.", "Its scopes say what it may be used for.");
    public static readonly GatewayError RateLimited = new("ballast_rate_limited", ErrorSide.Client, ChatErrorKind.RateLimited, false,
        "This gateway's limit of requests is reached.", "Wait as long as Retry-After says.");
    public static readonly GatewayError TokensLimited = new("ballast_tokens_limited", ErrorSide.Client, ChatErrorKind.RateLimited, false,
        "This gateway's limit of tokens is reached.", "Wait as long as Retry-After says, or ask for fewer output tokens.");
    public static readonly GatewayError BudgetExceeded = new("ballast_budget_exceeded", ErrorSide.Client, ChatErrorKind.QuotaExceeded, false,
        "The budget does not cover this request.", "Ask for fewer output tokens, or whoever runs this gateway for more budget.");
    public static readonly GatewayError BudgetUnavailable = new("ballast_budget_unavailable", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "This gateway has used up its part of a budget that several share, and cannot ask for more.", "Try again later; quote the request id to whoever runs it: the log has the cause.");
    public static readonly GatewayError Unpriced = new("ballast_unpriced", ErrorSide.Client, ChatErrorKind.QuotaExceeded, false,
        "What this request costs is not known, and a budget in money counts it.", "Whoever runs this gateway can give the model a price, or the budget an amount for such requests.");
    public static readonly GatewayError ModelNotAllowed = new("ballast_model_not_allowed", ErrorSide.Client, ChatErrorKind.Permission, false,
        "This API key may not use that model.",
        "GET /v1/models lists what this key may ask for.");
    public static readonly GatewayError ModelNotFound = new("ballast_model_not_found", ErrorSide.Client, ChatErrorKind.NotFound, false,
        "There is no such model.", "GET /v1/models lists what can be asked for.");
    public static readonly GatewayError UnknownPath = new("ballast_unknown_path", ErrorSide.Client, ChatErrorKind.NotFound, false,
        "There is nothing at this path.", "Served are /v1/chat/completions, /v1/responses, /v1/messages, /v1/messages/count_tokens, /v1beta/models/MODEL:generateContent and /v1/models; health and metrics on the administration port.");
    public static readonly GatewayError BaseUrl = new("ballast_base_url", ErrorSide.Client, ChatErrorKind.NotFound, false,
        "There is nothing at this path, but at its end: the client's base URL holds too much.",
        "Give OpenAI's clients the base URL http://HOST:PORT/v1, and those of Anthropic, Google and AWS http://HOST:PORT alone.");
    public static readonly GatewayError InterfaceNotOffered = new("ballast_interface_not_offered", ErrorSide.Client, ChatErrorKind.NotFound, false,
        "This interface of the vendor's is not offered here.", "docs/operations.md says what is offered beside chat; ask the vendor itself for the rest.");
    public static readonly GatewayError MethodNotAllowed = new("ballast_method_not_allowed", ErrorSide.Client, ChatErrorKind.MethodNotAllowed,
        false, "This path does not take that method.",
        "The header Allow names the methods that it takes.");
    public static readonly GatewayError OriginNotAllowed = new("ballast_origin_not_allowed", ErrorSide.Client, ChatErrorKind.Permission, false,
        "Scripts of this web page may not call this gateway.", "Write the page's origin into server.cors.origins; keys that stand in a page are known to whoever sees it.");
    public static readonly GatewayError BodyTooLarge = new("ballast_body_too_large", ErrorSide.Client, ChatErrorKind.RequestTooLarge, false,
        "The request body is larger than this gateway takes.", "The limit is limits.request_body_max.");
    public static readonly GatewayError BodyUnreadable = new("ballast_body_unreadable", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "The request body could not be read to its end.",
        "Send it whole, with the length or the chunks that its headers tell.");
    public static readonly GatewayError BodyTooSlow = new("ballast_body_too_slow", ErrorSide.Client, ChatErrorKind.RequestTimeout, false,
        "The request body came too slowly.",
        "Send it again, at 240 bytes a second or more after its first 5 seconds.");
    public static readonly GatewayError HeadUnreadable = new("ballast_head_unreadable", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "The request's head cannot be read.", "Send HTTP/1.1 as RFC 9112 has it; whatever stands between may have changed it.");
    public static readonly GatewayError BodyEncoded = new("ballast_body_encoded", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "The request body is compressed.", "Send it without Content-Encoding.");
    public static readonly GatewayError InvalidRequest = new("ballast_invalid_request", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "The request breaks its protocol.", "Correct what is named and send it again: no provider has been asked.");
    public static readonly GatewayError LossRefused = new("ballast_loss_refused", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "The request holds fields that no available deployment can carry, and this key's loss policy is strict.",
        "Leave those fields out, or ask a model whose deployments carry them; loss_policy: warn sends the request without them.");
    public static readonly GatewayError Constitution = new("ballast_constitution", ErrorSide.Client, ChatErrorKind.Permission, false,
        "This gateway's constitution does not allow that.", "Ask for something else; the principle says why. Whoever runs this gateway can change it.");
    public static readonly GatewayError Unreadable = new("ballast_unreadable", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "This app's requests are searched before they leave, and this one cannot be.", "Send text in the place of pictures, sounds, files and tokens; redact_unreadable: pass lets them by.");
    public static readonly GatewayError JudgedChoices = new("ballast_judged_choices", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "This app's answers are judged here, one at a time.", "Ask for one answer.");
    public static readonly GatewayError BackgroundNotOffered = new("ballast_background_not_offered", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "No deployment of this model answers in the background.", "Leave 'background' out and stream the answer, or ask for a model of OpenAI or Azure.");
    public static readonly GatewayError BackgroundRedacted = new("ballast_background_redacted", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "An app whose values are taken out of its requests is not answered in the background.", "Leave 'background' out: values are put back only while their request lasts.");

    public static readonly GatewayError BackgroundJudged = new("ballast_background_judged", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "Answers are held against the constitution before they go out, and one in the background is fetched later.", "Leave 'background' out; stream the answer where it takes long.");
    public static readonly GatewayError Unjudged = new("ballast_unjudged", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "This app's requests and answers are held against the constitution, and this cannot be.", "Send text in the place of tokens, and a batch's requests one by one.");
    public static readonly GatewayError CompactionNotOffered = new("ballast_compaction_not_offered", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "No deployment of this model compacts conversations.", "Send the conversation shortened, or summed up by a model, in 'input'; models of OpenAI and Azure can be asked to.");
    public static readonly GatewayError StateOff = new("ballast_state_off", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "This gateway keeps no answers and no conversations.", "Send the whole conversation in 'input'; conversations.store switches it on.");
    public static readonly GatewayError StateUnreadable = new("ballast_state_unreadable", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "What was said before cannot be put into this request.",
        "Send the whole conversation in 'input', or quote the request id to whoever runs this gateway.");
    public static readonly GatewayError NoLawfulDeployment = new("ballast_no_lawful_deployment", ErrorSide.Gateway, ChatErrorKind.Unavailable,
        false, "No deployment of this model is allowed for this API key's data.",
        "The key's 'allow' terms (geo, retention, training) exclude every candidate.");
    public static readonly GatewayError ShareExceeded = new("ballast_share_exceeded", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "Every deployment that could answer now would exceed a share that must hold.", "The rule says on_conflict: shed, or queue and the wait is over. Try again later, or ask for another model.");
    public static readonly GatewayError TierShed = new("ballast_tier_shed", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "A deployment is away, and what the others' shares leave is kept for more critical apps.", "Try again later; the policy's precedence.shed_from_tier says which apps give way.");
    public static readonly GatewayError QuotaReached = new("ballast_quota_reached", ErrorSide.Gateway, ChatErrorKind.RateLimited, false,
        "Every deployment that could answer now is at the quota that its vendor gives this gateway.", "Wait as long as Retry-After says; a request for fewer output tokens may find room before.");
    public static readonly GatewayError OperationNotOffered = new("ballast_operation_not_offered", ErrorSide.Client, ChatErrorKind.NotSupported,
        false, "No deployment of this model offers this operation.", "Ask a model that does, or add a deployment of one.");
    public static readonly GatewayError FileNotFound = new("ballast_file_not_found", ErrorSide.Client, ChatErrorKind.NotFound, false,
        "There is no such file.", "Files are known by the ids that this gateway gave out, to keys of the same app.");
    public static readonly GatewayError BatchNotFound = new("ballast_batch_not_found", ErrorSide.Client, ChatErrorKind.NotFound, false,
        "There is no such batch.", "Batches are known by the ids that this gateway gave out, to keys of the same app.");
    public static readonly GatewayError HandlesFull = new("ballast_handles_full", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "This app has as many files and batches as it may have.", "Delete files that are no longer needed; the limit is limits.handles_per_app_max.");
    public static readonly GatewayError HandlesUnavailable = new("ballast_handles_unavailable", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "The gateway cannot look up files and batches now.", "Quote the request id to whoever runs it: the log has the cause.");
    public static readonly GatewayError BatchModelElsewhere = new("ballast_batch_model_elsewhere", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "The batch names a model that is not served where the batch would lie.", "Make one batch for each model, or choose the provider with x-ballast-model.");
    public static readonly GatewayError NotBatchInput = new("ballast_not_batch_input", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "A batch can only be made of a file that was uploaded for it.", "Upload the file with purpose 'batch'.");
    public static readonly GatewayError ProviderUnavailable = new("ballast_provider_unavailable", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "The provider that keeps this file, batch or answer is not available.", "It stays where it was made and cannot be asked for elsewhere: try again later.");
    public static readonly GatewayError ProviderRemoved = new("ballast_provider_removed", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "The provider that keeps this file, batch or answer is no longer configured here.", "Whoever runs this gateway can configure it again, under the same name.");
    public static readonly GatewayError AllUnavailable = new("ballast_all_unavailable", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "Every deployment of this model is resting after failures or rate limits.", "Try again after the time in Retry-After.");
    public static readonly GatewayError Overloaded = new("ballast_overloaded", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "The gateway serves as many requests as it may at once.",
        "Try again shortly; the limit is limits.concurrent_requests_max.");
    public static readonly GatewayError NotServing = new("ballast_not_serving", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "The gateway does not take requests now.", "It is starting or stopping, or its demo still plays: try again shortly.");
    public static readonly GatewayError LedgerFull = new("ballast_ledger_full", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "The gateway cannot write down what requests cost, and therefore takes none.", "It goes on by itself once its disk has room: try again shortly.");
    public static readonly GatewayError IdempotencyKeyInvalid = new("ballast_idempotency_key_invalid", ErrorSide.Client, ChatErrorKind.InvalidRequest, false,
        "The Idempotency-Key is no key.", "Send 1 to 255 visible ASCII characters, a random UUID for example.");
    public static readonly GatewayError IdempotencyMismatch = new("ballast_idempotency_mismatch", ErrorSide.Client, ChatErrorKind.Unprocessable, false,
        "This Idempotency-Key was used for another request.", "Send the same request again, or a new one with a new key.");
    public static readonly GatewayError IdempotencyRunning = new("ballast_idempotency_running", ErrorSide.Client, ChatErrorKind.Conflict, false,
        "The request with this Idempotency-Key still runs.", "Repeat it after the time in Retry-After: it is answered once.");
    public static readonly GatewayError IdempotencyInDoubt = new("ballast_idempotency_in_doubt", ErrorSide.Gateway, ChatErrorKind.Conflict, false,
        "The gateway was ended while it worked on the request with this Idempotency-Key, and it is not known whether a platform executed it.",
        "It is not sent again under this key. The ledger has what it may have cost; send it with a new key to have it executed, perhaps for the second time.");
    public static readonly GatewayError IdempotencyNotKept = new("ballast_idempotency_not_kept", ErrorSide.Client, ChatErrorKind.Conflict, false,
        "The request with this Idempotency-Key was executed and answered, and its answer is too large to be kept.",
        "It is not sent again under this key; the limits are limits.idempotency_answer_max and limits.idempotency_store_max.");
    public static readonly GatewayError IdempotencyFull = new("ballast_idempotency_full", ErrorSide.Client, ChatErrorKind.RateLimited, false,
        "This API key has as many Idempotency-Keys of the last 24 hours as it may have.", "Send the request without one; the limit is limits.idempotency_keys_max.");
    public static readonly GatewayError IdempotencyUnavailable = new("ballast_idempotency_unavailable", ErrorSide.Gateway, ChatErrorKind.Unavailable, false,
        "The gateway cannot look up Idempotency-Keys now, and therefore sends nothing.", "Quote the request id to whoever runs it: the log has the cause.");
    public static readonly GatewayError Internal = new("ballast_internal", ErrorSide.Gateway, ChatErrorKind.ServerError, false,
        "The gateway failed.", "Quote the request id to whoever runs it: the log has the cause.");

    public static readonly GatewayError ConnectFailed = new("upstream_connect_failed", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "No connection to the upstream could be made.",
        "Try again shortly; whoever runs this gateway finds the cause in its log by the request id.");
    public static readonly GatewayError AddressRefused = new("upstream_address_refused", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "The upstream's name resolves to an address that is not allowed.", "Set allow_private_addresses for servers of your own.");
    public static readonly GatewayError ConnectionLost = new("upstream_connection_lost", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "The upstream closed the connection before its answer.",
        "Try again: what else could answer has been asked already.");
    public static readonly GatewayError StreamCut = new("upstream_stream_cut", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "The upstream's answer broke off before its end.",
        "Try again: what came so far is not the whole answer.");
    public static readonly GatewayError StreamError = new("upstream_stream_error", ErrorSide.Upstream, ChatErrorKind.ServerError, true,
        "The upstream reported an error inside its answer.",
        "Try again: what came so far is not the whole answer.");
    public static readonly GatewayError Malformed = new("upstream_malformed", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "The upstream's answer does not keep to its protocol.",
        "Try again, or ask another model; whoever runs this gateway finds the attempt in its ledger by the request id.");
    public static readonly GatewayError SchemaMismatch = new("upstream_schema_mismatch", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "The model's answer does not fit the JSON schema that was asked for.",
        "Ask again, make the schema simpler, or ask a model that has JSON schema of its own.");
    public static readonly GatewayError HeldTooLong = new("upstream_held_too_much", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "The upstream's answer is larger than the gateway may hold back.",
        "Stream the answer, or ask for a shorter one.");
    public static readonly GatewayError FirstTokenTimeout = new("upstream_timeout_first_token", ErrorSide.Upstream, ChatErrorKind.Timeout, true,
        "The upstream did not begin to answer in time.",
        "Try again, or ask for less at once.");
    public static readonly GatewayError IdleTimeout = new("upstream_timeout_idle", ErrorSide.Upstream, ChatErrorKind.Timeout, true,
        "The upstream fell silent in the middle of its answer.",
        "Try again: what came so far is not the whole answer.");
    public static readonly GatewayError TotalTimeout = new("upstream_timeout_total", ErrorSide.Upstream, ChatErrorKind.Timeout, false,
        "The answer took longer than a request may take.",
        "Ask for a shorter answer.");
    public static readonly GatewayError CredentialsRefused = new("upstream_credentials_refused", ErrorSide.Upstream, ChatErrorKind.BadGateway,
        true, "The upstream refused the gateway's own credentials.", "Whoever runs this gateway must look at that provider's key.");
    public static readonly GatewayError CredentialsUnavailable = new("upstream_credentials_unavailable", ErrorSide.Upstream,
        ChatErrorKind.BadGateway, true, "The gateway could not get a credential for the upstream.",
        "Whoever runs this gateway must look at that provider's identity: the log has the cause.");
    public static readonly GatewayError TlsFailed = new("upstream_tls_failed", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "The upstream could not prove that it is who it should be.",
        "Whoever runs this gateway must look at that server's certificate: its authority (ca), its host name, its dates.");
    public static readonly GatewayError Redirected = new("upstream_redirected", ErrorSide.Upstream, ChatErrorKind.BadGateway, true,
        "The upstream answered with a redirect, which is never followed.",
        "Whoever runs this gateway must look at that provider's base_url.");

    /// <summary>Repeating the request soon is of no use, though its status says so to clients that repeat whatever a server calls its own fault.</summary>
    /// <param name="code">An error's code.</param>
    public static bool IsLasting(string? code) =>
        code is not null && (code == IdempotencyInDoubt.Code || code == IdempotencyNotKept.Code || code == OperationNotOffered.Code || code == NoLawfulDeployment.Code
            || code == ProviderRemoved.Code || code == BudgetExceeded.Code || code == Unpriced.Code);

    /// <summary>A protocol's or a store's own refusal, with a code and a hint where it has none.</summary>
    public static ChatError Complete(ChatError error) => error with { Code = error.Code ?? InvalidRequest.Code, Hint = error.Hint ?? InvalidRequest.Hint };

    private static readonly GatewayError[] s_all =
    [
        MissingKey, InvalidKey, AmbiguousKey, KeysThrottled, KeysUnavailable, ScopeMissing, RateLimited, TokensLimited,
        BudgetExceeded, BudgetUnavailable, Unpriced, ModelNotAllowed, ModelNotFound, UnknownPath, BaseUrl, InterfaceNotOffered, MethodNotAllowed, OriginNotAllowed, BodyTooLarge, BodyUnreadable, BodyTooSlow,
        HeadUnreadable, BodyEncoded, InvalidRequest, LossRefused, Unreadable, Constitution, JudgedChoices, BackgroundNotOffered, BackgroundRedacted, BackgroundJudged, Unjudged, CompactionNotOffered,
        StateOff, StateUnreadable, NoLawfulDeployment, ShareExceeded, TierShed, QuotaReached, OperationNotOffered, FileNotFound, BatchNotFound, HandlesFull,
        HandlesUnavailable, BatchModelElsewhere, NotBatchInput, ProviderUnavailable, ProviderRemoved, AllUnavailable, Overloaded, NotServing,
        LedgerFull, IdempotencyKeyInvalid, IdempotencyMismatch, IdempotencyRunning, IdempotencyInDoubt, IdempotencyNotKept, IdempotencyFull, IdempotencyUnavailable,
        Internal, ConnectFailed, AddressRefused, ConnectionLost, StreamCut, StreamError, Malformed, SchemaMismatch,
        HeldTooLong, FirstTokenTimeout, IdleTimeout, TotalTimeout, CredentialsRefused, CredentialsUnavailable, TlsFailed, Redirected,
    ];

    /// <summary>The error with this code; null where it is a vendor's, such as <c>upstream_status_503</c>.</summary>
    public static GatewayError? Find(string code) => Array.Find(s_all, error => error.Code == code);

    /// <summary>Gives the error as a value that a protocol can write.</summary>
    public ChatError ToChatError(string? detail = null, string? param = null) =>
        new(Kind, detail is null ? Message : $"{Message} {detail}") { Code = Code, Param = param, Hint = Hint };
}
