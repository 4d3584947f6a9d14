namespace Ballast.Cli;

/// <summary>How the exposure page looks: on a light or a dark screen, and on A4.</summary>
internal static class ExposureStyle
{
    public const string Css =
        """
        :root{--ink:#1b2430;--soft:#556170;--line:#dfe5ec;--paper:#fff;--box:#f5f7fa;--bad:#a3201d;--badpaper:#fbeceb;--warn:#8a5a00;--warnpaper:#fdf3e0;--good:#1d6b3a;--goodpaper:#e9f5ee;
        --c0:#2563a8;--c1:#c46a12;--c2:#2d8a57;--c3:#8a4fa3;--c4:#b3433f;--c5:#3b7f8b;--c6:#7a6a3a;--c7:#5b6673;color-scheme:light dark}
        @media screen and (prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#a3b0be;--line:#39434f;--paper:#151a20;--box:#1f262e;--bad:#ff9a94;--badpaper:#3a2021;--warn:#f0c269;--warnpaper:#35290f;
        --good:#8fd6a8;--goodpaper:#16301f;--c0:#76aef0;--c1:#f0a55a;--c2:#71cf9a;--c3:#cf9ae6;--c4:#f08f8a;--c5:#7fc9d6;--c6:#cdbb7f;--c7:#a3b0be}}
        *{box-sizing:border-box}body{font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;color:var(--ink);background:var(--paper);max-width:860px;margin:28px auto;padding:0 20px}
        h1{font-size:25px;line-height:1.2;margin:0 0 4px}h2{font-size:17px;margin:26px 0 8px;border-bottom:2px solid var(--line);padding-bottom:4px}h3{font-size:14px;margin:16px 0 4px}
        .note{color:var(--soft);font-size:12px;margin:2px 0 8px}p.lead{font-size:19px;line-height:1.35;margin:14px 0;font-weight:600}
        .cards{display:grid;grid-template-columns:repeat(4,1fr);gap:10px;margin:12px 0}.card{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:8px 10px;min-width:0}
        .card b{display:block;font-size:21px;line-height:1.2}.card span{color:var(--soft);font-size:12px}
        table{border-collapse:collapse;width:100%;margin:4px 0 10px;font-size:13px}th{font-weight:600;color:var(--soft);font-size:12px;vertical-align:bottom}
        th,td{text-align:left;padding:3px 6px;border-bottom:1px solid var(--line);overflow-wrap:anywhere}td{vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}td.n,.d{white-space:nowrap}
        .bad{color:var(--bad);font-weight:600}.warn{color:var(--warn);font-weight:600}.good{color:var(--good);font-weight:600}
        .bar{display:inline-block;height:9px;border-radius:2px;background:var(--bad);vertical-align:baseline;margin-right:5px}
        ol{padding-left:22px;margin:6px 0}li{margin:5px 0}li b{font-weight:600}.empty{color:var(--soft)}
        svg{width:100%;height:auto;display:block;margin:4px 0}svg text{fill:var(--ink);font-size:12px;paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}svg .b{stroke:none}svg .s{fill:var(--soft)}
        @page{size:A4;margin:14mm}
        @media print{body{margin:0;padding:0;max-width:none;font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}h1{font-size:21px}h2{font-size:14px;margin:16px 0 5px;break-after:avoid}
        h3{font-size:12px;break-after:avoid}p.lead{font-size:15px;margin:9px 0}table{font-size:10.5px}th{font-size:10px}th,td{padding:2px 5px}.note,.card span{font-size:10px}.card b{font-size:17px}
        .card{padding:5px 8px}li{margin:3px 0}tr,svg,.card,li{break-inside:avoid}.keep{break-inside:avoid}.page{break-before:page}thead{display:table-header-group}}
        @media screen and (max-width:640px){.cards{grid-template-columns:repeat(2,1fr)}.wide{overflow-x:auto}}
        """;
}
