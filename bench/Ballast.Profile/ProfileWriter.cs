using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Ballast.Profile;

/// <summary>
/// Writes counts in the form that .NET's compilers ahead of time read (<c>--mibc</c>): a library whose one method, <c>AssemblyDictionary</c>, names groups; each group is a
/// method whose IL is never run and names the counted methods, each with its counts as constants. The library lies in a zip file under the name that they look for.
/// </summary>
internal sealed class ProfileWriter
{
    private const string CanonAssembly = "System.Private.Canon";
    private const int AllParts = 15;

    /// <summary>The same counts give the same file.</summary>
    private static readonly DateTimeOffset s_noTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly MetadataBuilder _metadata = new();
    private readonly MethodBodyStreamEncoder _bodies = new(new BlobBuilder());
    private readonly Dictionary<string, AssemblyReferenceHandle> _assemblies = [];
    private readonly Dictionary<Type, TypeReferenceHandle> _references = [];
    private readonly Dictionary<string, EntityHandle> _instances = [];
    private readonly SortedDictionary<string, InstructionEncoder> _groups = new(StringComparer.Ordinal);
    private readonly TypeFinder _types;
    private readonly BlobHandle _noArguments;
    private TypeReferenceHandle _canon;

    public ProfileWriter(TypeFinder types)
    {
        _types = types;
        _metadata.AddModule(0, _metadata.GetOrAddString("ballast.mibc"), _metadata.GetOrAddGuid(default), default, default);
        _metadata.AddAssembly(_metadata.GetOrAddString("ballast"), new Version(1, 0, 0, 0), default, default, default, AssemblyHashAlgorithm.None);
        _metadata.AddTypeDefinition(
            TypeAttributes.NotPublic, default, _metadata.GetOrAddString("<Module>"), default, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        BlobBuilder signature = new();
        new BlobEncoder(signature).MethodSignature().Parameters(0, static result => result.Void(), static _ => { });
        _noArguments = _metadata.GetOrAddBlob(signature);
    }

    /// <summary>False where the method cannot be named: it is generic itself, or was not found.</summary>
    public bool TryAdd(CountedMethod counted)
    {
        if (counted.IsGeneric || TypeText.TryParse(counted.Type) is not { IsArray: false } text || _types.Find(text.Name) is not { } type
            || TypeFinder.FindMethod(type, counted) is not { } method || TypeToken(text) is not { } owner)
        {
            return false;
        }

        InstructionEncoder group = GroupOf(type);
        group.OpCode(ILOpCode.Ldtoken);
        group.Token(_metadata.AddMemberReference(owner, _metadata.GetOrAddString(method.Name), SignatureOf(method)));
        group.LoadString(_metadata.GetOrAddUserString("ExclusiveWeight"));
        group.LoadConstantI4((int)Math.Clamp(counted.Weight, 1, int.MaxValue));
        group.LoadString(_metadata.GetOrAddUserString("InstrumentationDataStart"));
        foreach (Count count in counted.Counts.Where(static count => !count.IsOfMethods))
        {
            AddCount(group, count);
        }

        group.LoadString(_metadata.GetOrAddUserString("InstrumentationDataEnd"));
        group.OpCode(ILOpCode.Pop);
        return true;
    }

    public void Write(string path)
    {
        InstructionEncoder dictionary = new(new BlobBuilder());
        int number = 0;
        foreach ((string name, InstructionEncoder group) in _groups)
        {
            group.OpCode(ILOpCode.Ret);
            dictionary.LoadString(_metadata.GetOrAddUserString(name + ";"));
            dictionary.OpCode(ILOpCode.Ldtoken);
            dictionary.Token(AddMethod($"Group{++number}", group));
            dictionary.OpCode(ILOpCode.Pop);
        }

        dictionary.OpCode(ILOpCode.Ret);
        AddMethod("AssemblyDictionary", dictionary);
        BlobBuilder image = new();
        new ManagedPEBuilder(
            PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(_metadata), _bodies.Builder, deterministicIdProvider: static _ => new BlobContentId(Guid.Empty, 1)).Serialize(image);
        using ZipArchive file = new(File.Create(path), ZipArchiveMode.Create);
        ZipArchiveEntry entry = file.CreateEntry(Path.GetFileName(path) + ".dll", CompressionLevel.SmallestSize);
        entry.LastWriteTime = s_noTime;
        using Stream content = entry.Open();
        image.WriteContentTo(content);
    }

    private MethodDefinitionHandle AddMethod(string name, InstructionEncoder code) => _metadata.AddMethodDefinition(
        MethodAttributes.Public | MethodAttributes.Static, MethodImplAttributes.IL, _metadata.GetOrAddString(name), _noArguments, _bodies.AddMethodBody(code), MetadataTokens.ParameterHandle(1));

    private InstructionEncoder GroupOf(Type type)
    {
        string name = type.Assembly.GetName().Name!;
        if (!_groups.TryGetValue(name, out InstructionEncoder group))
        {
            _groups.Add(name, group = new InstructionEncoder(new BlobBuilder()));
        }

        return group;
    }

    private void AddCount(InstructionEncoder group, Count count)
    {
        group.LoadConstantI4(AllParts);
        group.LoadConstantI4(count.At);
        group.LoadConstantI4(count.Kind);
        group.LoadConstantI4(count.Length);
        group.LoadConstantI4(count.Other);
        foreach (long number in count.Numbers)
        {
            group.LoadConstantI4((int)Math.Min(number, int.MaxValue));
        }

        foreach (string? name in count.Names)
        {
            if (name is not null && TypeText.TryParse(name) is { } text && TypeToken(text) is { } token)
            {
                group.OpCode(ILOpCode.Ldtoken);
                group.Token(token);
            }
            else
            {
                group.LoadConstantI4(0);
            }
        }
    }

    private EntityHandle? TypeToken(TypeText text)
    {
        if (text is { Arguments.Count: 0, IsArray: false })
        {
            return text.Name == TypeText.Canon ? Canon() : _types.Find(text.Name) is { } plain ? ReferenceTo(plain) : null;
        }

        BlobBuilder signature = new();
        if (!TryEncode(new BlobEncoder(signature).TypeSpecificationSignature(), text))
        {
            return null;
        }

        string key = Convert.ToHexString(signature.ToArray());
        if (!_instances.TryGetValue(key, out EntityHandle handle))
        {
            _instances.Add(key, handle = _metadata.AddTypeSpecification(_metadata.GetOrAddBlob(signature)));
        }

        return handle;
    }

    private bool TryEncode(SignatureTypeEncoder encoder, TypeText text)
    {
        if (text.IsArray)
        {
            return TryEncode(encoder.SZArray(), text with { IsArray = false });
        }

        if (text.Name == TypeText.Canon)
        {
            encoder.Type(Canon(), isValueType: false);
            return true;
        }

        if (_types.Find(text.Name) is not { } type)
        {
            return false;
        }

        if (text.Arguments.Count == 0)
        {
            Encode(encoder, type);
            return true;
        }

        GenericTypeArgumentsEncoder arguments = encoder.GenericInstantiation(ReferenceTo(type), text.Arguments.Count, type.IsValueType);
        return text.Arguments.All(argument => TryEncode(arguments.AddArgument(), argument));
    }

    private BlobHandle SignatureOf(MethodBase method)
    {
        BlobBuilder signature = new();
        ParameterInfo[] parameters = method.GetParameters();
        new BlobEncoder(signature).MethodSignature(isInstanceMethod: !method.IsStatic).Parameters(parameters.Length, result => EncodeResult(result, method), list =>
        {
            foreach (ParameterInfo parameter in parameters)
            {
                ParameterTypeEncoder encoder = list.AddParameter();
                Modify(encoder.CustomModifiers(), parameter);
                Type type = parameter.ParameterType;
                Encode(encoder.Type(type.IsByRef), type.IsByRef ? type.GetElementType()! : type);
            }
        });
        return _metadata.GetOrAddBlob(signature);
    }

    private void EncodeResult(ReturnTypeEncoder encoder, MethodBase method)
    {
        if (method is not MethodInfo { ReturnParameter: { } result } || result.ParameterType == typeof(void))
        {
            encoder.Void();
            return;
        }

        Modify(encoder.CustomModifiers(), result);
        Type type = result.ParameterType;
        Encode(encoder.Type(type.IsByRef), type.IsByRef ? type.GetElementType()! : type);
    }

    private void Modify(CustomModifiersEncoder encoder, ParameterInfo parameter)
    {
        foreach (Type modifier in parameter.GetRequiredCustomModifiers())
        {
            encoder.AddModifier(ReferenceTo(modifier), isOptional: false);
        }
    }

    private void Encode(SignatureTypeEncoder encoder, Type type)
    {
        switch (type)
        {
            case { IsSZArray: true }:
                Encode(encoder.SZArray(), type.GetElementType()!);
                break;
            case { IsPointer: true } when type.GetElementType() == typeof(void):
                encoder.VoidPointer();
                break;
            case { IsPointer: true }:
                Encode(encoder.Pointer(), type.GetElementType()!);
                break;
            case { IsGenericTypeParameter: true }:
                encoder.GenericTypeParameter(type.GenericParameterPosition);
                break;
            case { IsGenericMethodParameter: true }:
                encoder.GenericMethodTypeParameter(type.GenericParameterPosition);
                break;
            case { IsGenericType: true }:
                GenericTypeArgumentsEncoder arguments = encoder.GenericInstantiation(ReferenceTo(type.GetGenericTypeDefinition()), type.GetGenericArguments().Length, type.IsValueType);
                foreach (Type argument in type.GetGenericArguments())
                {
                    Encode(arguments.AddArgument(), argument);
                }

                break;
            default:
                EncodePlain(encoder, type);
                break;
        }
    }

    private void EncodePlain(SignatureTypeEncoder encoder, Type type)
    {
        PrimitiveTypeCode? primitive = type.FullName switch
        {
            "System.Boolean" => PrimitiveTypeCode.Boolean,
            "System.Char" => PrimitiveTypeCode.Char,
            "System.SByte" => PrimitiveTypeCode.SByte,
            "System.Byte" => PrimitiveTypeCode.Byte,
            "System.Int16" => PrimitiveTypeCode.Int16,
            "System.UInt16" => PrimitiveTypeCode.UInt16,
            "System.Int32" => PrimitiveTypeCode.Int32,
            "System.UInt32" => PrimitiveTypeCode.UInt32,
            "System.Int64" => PrimitiveTypeCode.Int64,
            "System.UInt64" => PrimitiveTypeCode.UInt64,
            "System.Single" => PrimitiveTypeCode.Single,
            "System.Double" => PrimitiveTypeCode.Double,
            "System.String" => PrimitiveTypeCode.String,
            "System.Object" => PrimitiveTypeCode.Object,
            "System.IntPtr" => PrimitiveTypeCode.IntPtr,
            "System.UIntPtr" => PrimitiveTypeCode.UIntPtr,
            _ => null,
        };
        if (primitive is { } code)
        {
            encoder.PrimitiveType(code);
        }
        else
        {
            encoder.Type(ReferenceTo(type), type.IsValueType);
        }
    }

    private TypeReferenceHandle ReferenceTo(Type type)
    {
        if (!_references.TryGetValue(type, out TypeReferenceHandle handle))
        {
            EntityHandle scope = type.DeclaringType is { } outer ? ReferenceTo(outer) : AssemblyNamed(type.Assembly.GetName());
            StringHandle space = type.DeclaringType is null && type.Namespace is { } named ? _metadata.GetOrAddString(named) : default;
            _references.Add(type, handle = _metadata.AddTypeReference(scope, space, _metadata.GetOrAddString(type.Name)));
        }

        return handle;
    }

    private TypeReferenceHandle Canon()
    {
        if (_canon.IsNil)
        {
            _canon = _metadata.AddTypeReference(AssemblyNamed(new AssemblyName(CanonAssembly)), _metadata.GetOrAddString("System"), _metadata.GetOrAddString("__Canon"));
        }

        return _canon;
    }

    private AssemblyReferenceHandle AssemblyNamed(AssemblyName name)
    {
        if (!_assemblies.TryGetValue(name.Name!, out AssemblyReferenceHandle handle))
        {
            BlobHandle token = name.GetPublicKeyToken() is { Length: > 0 } bytes ? _metadata.GetOrAddBlob(bytes) : default;
            _assemblies.Add(name.Name!, handle = _metadata.AddAssemblyReference(
                _metadata.GetOrAddString(name.Name!), name.Version ?? new Version(0, 0, 0, 0), default, token, default, default));
        }

        return handle;
    }
}
