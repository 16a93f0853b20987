"""The page that asks for a password or a token, without any script."""

from __future__ import annotations

from html import escape

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_STYLE = """
:root { color-scheme: light dark; --back: #f4f6f8; --card: #fff; --text: #1b2329; --soft: #55616b;
  --line: #84909a; --accent: #0069a6; --on-accent: #fff; --bad: #a3201d; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14181c; --card: #1e242a; --text: #e6eaee; --soft: #a4b0bb; --line: #84909a;
    --accent: #6cbcf0; --on-accent: #10151a; --bad: #ff9c94; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
main { width: min(24rem, 100%); padding: 2rem; background: var(--card); border-radius: .75rem;
  box-shadow: 0 1px 4px #0003; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; }
p { margin: 0 0 1.25rem; color: var(--soft); }
p.bad { color: var(--bad); }
label { display: block; margin-bottom: .35rem; font-weight: 600; }
input, button { width: 100%; padding: .65rem .75rem; font: inherit; border-radius: .5rem; }
input { border: 1px solid var(--line); background: var(--back); color: var(--text); }
button { margin-top: 1rem; border: 0; background: var(--accent); color: var(--on-accent);
  font-weight: 600; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
"""
_WHERE = {
    "token": "It was printed with the address, where the page was started.",
    "password": "Whoever started the page knows it.",
}


def login_page(kind: str, *, action: str, words: str = "") -> tuple[str, str]:
    """The page, and the policy for browsers that goes with it.

    Args:
        kind: of what it asks for, ``token`` or ``password``.
        action: address that gets the form's one field, ``secret``.
        words: what was wrong with what was given before.
    """
    told = f'<p class="bad" role="alert">{escape(words)}</p>' if words else ""
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>segmint: {kind}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>segmint</h1>
<p id="where">This page asks for a {kind}. {_WHERE[kind]}</p>
{told}
<form method="post" action="{escape(action)}">
<label for="secret">{kind.capitalize()}</label>
<input id="secret" name="secret" type="password" autocomplete="current-password"
  aria-describedby="where" required autofocus>
<button type="submit">Open the page</button>
</form>
</main>
</body>
</html>
"""
    return text, _POLICY
