using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Ballast.Guards.Redaction;

/// <summary>
/// One character as it is meant: the ASCII that it looks like or stands for, so that a detector need only know ASCII. A table of its own and no call of ICU: the program
/// runs without that library, and <c>string.Normalize</c> then changes nothing and says nothing.
/// </summary>
internal static class FoldTable
{
    /// <summary>The character is only there to disturb: it has no width or no meaning of its own.</summary>
    public const char Dropped = '\0';

    /// <summary>In the place of what is neither ASCII nor a letter of the first plane.</summary>
    private const char Other = '\uFFFC';

    /// <summary>Look-alikes and letters in another dress: the character before, its ASCII behind.</summary>
    private static readonly FrozenDictionary<int, char> s_single = Pairs(
        "ℎhℯeℊgℴoℬBℰEℱFℋHℐIℒLℳMℛRℭCℌHℑIℜRℨZℂCℍHℕNℙPℚQℝRℤZKKℓlℹiªaºoıiɑaɡg"
        + "ᵃaᵇbᶜcᵈdᵉeᶠfᵍgʰhⁱiʲjᵏkˡlᵐmⁿnᵒoᵖpʳrˢsᵗtᵘuᵛvʷwˣxʸyᶻz"
        + "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢz"
        + "аaАAвbВBеeЕEкkКKмmМMнhНHоoОOрpРPсcСCтtТTуyУYхxХXіiІIјjЈJѕsЅSԁdһhԛqԝwҺH"
        + "αaΑAβbΒBεeΕEζzΖZηnΗHιiΙIκkΚKμuΜMνvΝNοoΟOρpΡPτtΤTυuΥYχxΧX"
        + "²2³3¹1⁰0⁴4⁵5⁶6⁷7⁸8⁹9₀0₁1₂2₃3₄4₅5₆6₇7₈8₉9⓪0⓿0"
        + "․.。.｡.·.‧.・.•.∙.⋅.﹒.۔.܁.܂.꓿.﹫@⁺+₊+﹢+﹣-﹘-−-⁃-‐-‑-‒-–-—-―-⁻-₋-﹍_﹎_﹏_‿_⁄/∕/⧸/：:∶:ː:꞉:﹕:﹦=⁼=₌=﹙(﹚)⁽(⁾)₍(₎)“\"”\"‘'’'＂\"＇'");

    /// <summary>Rows of letters or digits in order: first, last, what the first stands for.</summary>
    private static readonly (int First, int Last, char As)[] s_rows =
    [
        (0xFF01, 0xFF5E, '!'),
        (0x2460, 0x2468, '1'), (0x2474, 0x247C, '1'), (0x24F5, 0x24FD, '1'), (0x2776, 0x277E, '1'), (0x2780, 0x2788, '1'), (0x278A, 0x2792, '1'),
        (0x24B6, 0x24CF, 'A'), (0x24D0, 0x24E9, 'a'), (0x249C, 0x24B5, 'a'),
        (0x1F110, 0x1F129, 'A'), (0x1F130, 0x1F149, 'A'), (0x1F150, 0x1F169, 'A'), (0x1F170, 0x1F189, 'A'), (0x1F1E6, 0x1F1FF, 'A'),
    ];

    public static char Of(Rune rune)
    {
        int value = rune.Value;
        if (value < 0x80)
        {
            return value is >= ' ' and < 0x7F or '\n' or '\r' ? (char)value : value == '\t' ? ' ' : Dropped;
        }

        return OfForeign(rune, value);
    }

    /// <summary>A tag: a character that nobody sees and a model can read as ASCII.</summary>
    public static bool IsTag(int value) => value is >= 0xE0020 and <= 0xE007E;

    private static char OfForeign(Rune rune, int value)
    {
        if (s_single.TryGetValue(value, out char single))
        {
            return single;
        }

        if (value is 0xA0 or 0x1680 or (>= 0x2000 and <= 0x200A) or 0x202F or 0x205F or 0x3000)
        {
            return ' ';
        }

        if (value is 0x85 or 0x2028 or 0x2029)
        {
            return '\n';
        }

        foreach ((int first, int last, char meant) in s_rows)
        {
            if (value >= first && value <= last)
            {
                return (char)(meant + (value - first));
            }
        }

        // Mathematical alphabets follow one another, capitals and small letters in turn; then the digits.
        if (value is >= 0x1D400 and <= 0x1D6A3)
        {
            int letter = (value - 0x1D400) % 52;
            return (char)(letter < 26 ? 'A' + letter : 'a' + letter - 26);
        }

        if (value is >= 0x1D7CE and <= 0x1D7FF)
        {
            return (char)('0' + ((value - 0x1D7CE) % 10));
        }

        return OfCategory(rune, value);
    }

    private static char OfCategory(Rune rune, int value) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.DecimalDigitNumber => (char)('0' + (int)Rune.GetNumericValue(rune)),
        UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.Control => Dropped,
        _ when value is 0x115F or 0x1160 or 0x3164 or 0xFFA0 => Dropped,
        _ => value <= char.MaxValue ? (char)value : Other,
    };

    private static FrozenDictionary<int, char> Pairs(string pairs)
    {
        Dictionary<int, char> table = [];
        for (int i = 0; i + 1 < pairs.Length; i += 2)
        {
            table[pairs[i]] = pairs[i + 1];
        }

        return table.ToFrozenDictionary();
    }
}
