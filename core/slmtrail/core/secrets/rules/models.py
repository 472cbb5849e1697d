"""Keys of model providers and of what is built around models."""

from __future__ import annotations

from slmtrail.core.secrets.rules.expressions import URL_SAFE
from slmtrail.core.secrets.rules.rule import Rule, prefixed

RULES = (
    prefixed(
        "openai-key",
        "OPENAI_KEY",
        "sk-proj-|sk-svcacct-|sk-admin-|sk-None-",
        URL_SAFE + "{20,200}",
        "key sk-proj-¦abcdefghijklmnopqrstuvwx0123456789",
        "OPENAI_API_KEY=sk-svcacct-¦Zk3_9dhAAbbccDDeeff00112233445566-x",
        counter=("the sk-proj-folder", "ask-proj-abcdefghijklmnopqrstuvwxyz"),
    ),
    Rule(
        "openai-key-old",
        "OPENAI_KEY",
        r"\b(?P<secret>sk-[A-Za-z0-9]{32,64})\b",
        ("sk-",),
        ("sk-¦abcdefghijKLMNOPQRSTT3BlbkFJabcdefghijKLMNOPQRST",),
        ("task-0123456789012345678901234567890123", "sk-short", "sk-" + "x" * 40),
        check="random",
    ),
    prefixed(
        "anthropic-key",
        "ANTHROPIC_KEY",
        "sk-ant-",
        URL_SAFE + "{20,200}",
        "sk-ant-¦api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdEfGhIjAA",
        counter=("sk-ant-hill",),
    ),
    prefixed(
        "openrouter-key",
        "OPENROUTER_KEY",
        "sk-or-v1-",
        "[0-9a-f]{64}",
        "sk-or-v1-¦0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ),
    prefixed(
        "langfuse-key",
        "LANGFUSE_KEY",
        "sk-lf-",
        "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "sk-lf-¦01234567-89ab-cdef-0123-456789abcdef",
    ),
    prefixed(
        "langsmith-key",
        "LANGSMITH_KEY",
        "lsv2_pt_|lsv2_sk_",
        "[0-9a-f]{32}_[0-9a-f]{10}",
        "lsv2_pt_¦0123456789abcdef0123456789abcdef_0123456789",
    ),
    prefixed(
        "huggingface-token",
        "HUGGINGFACE_TOKEN",
        "hf_|api_org_",
        r"[A-Za-z0-9]{30,40}\b",
        "hf_¦abcdefghijklmnopqrstuvwxyzABCDEFGH",
        counter=("hf_hub_download", "hf_dataset_name_of_mine"),
    ),
    prefixed(
        "groq-key",
        "GROQ_KEY",
        "gsk_",
        r"[A-Za-z0-9]{40,60}\b",
        "gsk_¦abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    ),
    prefixed("xai-key", "XAI_KEY", "xai-", r"[A-Za-z0-9]{70,90}\b", "xai-¦" + "aB3dE5fG7h" * 8),
    prefixed(
        "perplexity-key", "PERPLEXITY_KEY", "pplx-", r"[A-Za-z0-9]{40,60}\b", "pplx-¦" + "aB3dE5fG7h" * 4 + "12345678"
    ),
    prefixed(
        "replicate-token", "REPLICATE_TOKEN", "r8_", r"[A-Za-z0-9]{37}\b", "r8_¦abcdefghijklmnopqrstuvwxyzABCDEFGHIJK"
    ),
    prefixed("pinecone-key", "PINECONE_KEY", "pcsk_", r"[A-Za-z0-9_]{50,80}\b", "pcsk_¦2abCD_" + "aB3dE5fG7h" * 6),
    prefixed("cerebras-key", "CEREBRAS_KEY", "csk-", r"[a-z0-9]{40,60}\b", "csk-¦" + "a3d5f7h9k2" * 4 + "12345678"),
    prefixed("nvidia-key", "NVIDIA_KEY", "nvapi-", URL_SAFE + "{60,80}", "nvapi-¦" + "aB3dE5fG7h" * 6 + "1234"),
    prefixed(
        "tavily-key",
        "TAVILY_KEY",
        "tvly-",
        r"[A-Za-z0-9\-]{28,60}\b",
        "tvly-¦dev-aB3dE5fG7haB3dE5fG7haB3dE5fG7h",
        counter=("tvly-search-and-extract-for-language-models",),
        check="random",
    ),
    prefixed("elevenlabs-key", "ELEVENLABS_KEY", "sk_", r"[0-9a-f]{48}\b", "sk_¦" + "0123456789abcdef" * 3),
    prefixed("together-key", "TOGETHER_KEY", "tgp_v1_", URL_SAFE + "{40,60}", "tgp_v1_¦" + "aB3dE5fG7h" * 4 + "123"),
    prefixed("jina-key", "JINA_KEY", "jina_", r"[A-Za-z0-9_\-]{50,80}\b", "jina_¦" + "aB3dE5fG7h" * 6, check="random"),
    prefixed(
        "voyage-key",
        "VOYAGE_KEY",
        "pa-",
        URL_SAFE + r"{43}(?![A-Za-z0-9_\-])",
        "pa-¦" + "aB3dE5fG7h" * 4 + "123",
        check="random",
        gate=r"pa-[A-Za-z0-9_\-]{43}",
    ),
    prefixed(
        "firecrawl-key",
        "FIRECRAWL_KEY",
        "fc-",
        r"[0-9a-f]{32}\b",
        "fc-¦" + "0123456789abcdef" * 2,
        gate=r"fc-[0-9a-f]{32}",
    ),
    prefixed("e2b-key", "E2B_KEY", "e2b_|sk_e2b_", r"[0-9a-f]{40}\b", "e2b_¦" + "0123456789" * 4),
    prefixed(
        "anyscale-key",
        "ANYSCALE_KEY",
        "esecret_|aph0_",
        r"[A-Za-z0-9_]{24,60}\b",
        "esecret_¦aB3dE5fG7haB3dE5fG7haB3dE5",
        check="random",
    ),
    prefixed(
        "modal-token",
        "MODAL_TOKEN",
        "as-|ak-",
        r"[A-Za-z0-9]{22}\b",
        "as-¦aB3dE5fG7haB3dE5fG7h12",
        check="random",
        gate=r"a[ks]-[A-Za-z0-9]{22}",
    ),
    Rule(
        "wandb-key",
        "WANDB_KEY",
        r"\bwandb\s{1,3}login\s{1,3}(?:--\S{1,20}\s{1,3}){0,3}(?P<secret>[0-9a-f]{40})\b",
        ("wandb",),
        ("wandb login ¦" + "0123456789" * 4,),
        ("wandb login --relogin",),
    ),
    prefixed("prefect-key", "PREFECT_KEY", "pnu_|pnb_", r"[A-Za-z0-9]{36}\b", "pnu_¦" + "aB3dE5fG7h" * 3 + "123456"),
)
