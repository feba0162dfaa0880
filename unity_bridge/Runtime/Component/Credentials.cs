// Where a token comes from: never from a scene or a prefab, which other people get.
using System;
using UnityEngine;

namespace Avatar3D
{
    /// <summary>Tokens are kept by bridge, in this user's preferences.</summary>
    public static class Credentials
    {
        /// <summary>The environment variable and the word of the command line that name a token.</summary>
        public const string Variable = "AVATAR3D_TOKEN", Word = "-avatar3d-token";

        /// <summary>The token for this bridge, or null.</summary>
        public static string Token(string url)
        {
            var words = Environment.GetCommandLineArgs();
            for (var i = 0; i + 1 < words.Length; i++)
                if (words[i] == Word) return words[i + 1];
            var told = Environment.GetEnvironmentVariable(Variable);
            if (!string.IsNullOrEmpty(told)) return told;
            told = PlayerPrefs.GetString(Key(url), "");
            return told == "" ? null : told;
        }

        /// <summary>Keep a token for the next time; null forgets it.</summary>
        public static void Keep(string url, string token)
        {
            if (string.IsNullOrEmpty(token)) PlayerPrefs.DeleteKey(Key(url));
            else PlayerPrefs.SetString(Key(url), token);
            PlayerPrefs.Save();
        }

        private static string Key(string url) => "avatar3d.token." + url;
    }
}
