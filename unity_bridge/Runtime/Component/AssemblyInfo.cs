// The editor's window and the tests look inside.
using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Avatar3D.Editor")]
[assembly: InternalsVisibleTo("Avatar3D.Editor.Tests")]
